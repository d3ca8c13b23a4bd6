import { readHost } from './host-name.js';

/*
 * One setting each, by the name of its variable. An empty value counts as unset. Every reader throws a
 * RangeError that names the variable and what it should hold.
 */

/** A whole number in a range, in plain digits: no blanks, signs, exponents, or digits of other scripts. */
export function readInteger(env, name, { fallback, min, max }) {
  const text = env[name] || String(fallback);
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new RangeError(`${name}=${text} is not a whole number from ${min} to ${max}`);
}

/** One of some words. */
export function readChoice(env, name, fallback, choices) {
  const text = env[name] || fallback;
  if (choices.includes(text)) return text;
  throw new RangeError(`${name}=${text} is none of ${choices.join(', ')}`);
}

/** A name that MongoDB takes for a database on every system. */
export function readName(env, name, fallback) {
  const text = env[name] || fallback;
  if (/^[A-Za-z0-9_-]{1,63}$/.test(text)) return text;
  throw new RangeError(`${name}=${text} is not made of 1 to 63 letters, digits, - and _`);
}

/** An address. */
export function readUrl(env, name, fallback, schemes) {
  const text = env[name] || fallback;
  if (schemes.some((scheme) => text.startsWith(`${scheme}//`)) && isAddress(text)) return text;
  // The value itself may hold a password.
  const wanted = schemes.map((scheme) => `${scheme}//`).join(' or ');
  throw new RangeError(`${name} is no address that starts with ${wanted}`);
}

// Several servers of one address (mongodb://a,b) are no URL.
function isAddress(text) {
  return /^[a-z+]+:\/\/[^\s/?#]+/.test(text) && (text.includes(',') || URL.canParse(text));
}

/** Names of this server, without ports. */
export function readHosts(env, name) {
  const names = splitList(env[name]);
  for (const host of names) {
    // A bare port, a scheme or a wildcard would never match and look as if it did.
    if (readHost(host)?.host !== host.toLowerCase() || readHost(host).port !== '') {
      throw new RangeError(`${name}: ${host} is no host name like api.example.org, without a port`);
    }
  }
  return Object.freeze(names.map((host) => host.toLowerCase()));
}

function splitList(text = '') {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** Origins such as https://example.org. */
export function readOrigins(env, name) {
  const origins = splitList(env[name]);
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new RangeError(`${name}: ${origin} is no origin like https://example.org`);
    }
  }
  return Object.freeze(origins);
}
