/** Put the address of this view on the clipboard. Throws with the address where the browser forbids that. */
export async function copyLink() {
  const { href } = window.location
  try {
    await navigator.clipboard.writeText(href)
  } catch {
    throw new Error(`The browser does not let the page copy; here it is: ${href}`)
  }
}
