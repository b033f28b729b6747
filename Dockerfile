# syntax=docker/dockerfile:1
FROM node:24-trixie-slim AS base
WORKDIR /app
ENV npm_config_update_notifier=false
COPY package.json package-lock.json .npmrc ./

# For compose.dev.yml, which mounts the sources: every dependency, nothing compiled. User 1000 is the image's `node`.
FROM base AS development
RUN npm ci --ignore-scripts && mkdir src migrations /data && chown node:node /data
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
COPY tsconfig.json ./
USER 1000:1000
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["node_modules/.bin/tsx", "src/cli/main.ts"]
CMD ["serve"]

# Compiles with the development dependencies, which stay behind in this stage.
FROM base AS build
RUN npm ci --ignore-scripts --omit=optional
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

# The optional packages are the embedded Postgres; here DATABASE_URL names a real server.
FROM base AS dependencies
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:24-trixie-slim AS runtime
WORKDIR /app
ENV NODE_ENV=production ENVIRONMENT=production HOST=0.0.0.0 PORT=8000 HEALTH_PORT=8001 DATA_DIR=/data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY migrations migrations
# All that is ever written, the secrets of development, is here: the root file system can be read-only.
RUN mkdir /data && chown node:node /data
USER 1000:1000
VOLUME /data
EXPOSE 8000 8001
# Every role answers there, the API too, because HEALTH_PORT is set. Node itself asks: the slim image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# bin/recovery.js is one process and handles SIGTERM itself; it has 25 s, so give it 30.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=32", "--heap-growing-percent=70", "/app/bin/recovery.js"]
CMD ["serve"]
