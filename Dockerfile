# A target for each service: docker build --target gateway -t boardwire/gateway:dev .
# The same sources, lock and SOURCE_DATE_EPOCH give the same files; docs/operations.md tells how that is checked.
ARG NODE_IMAGE=node:20-alpine

FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -exec rm {} + \
  && (find . -depth -type d -exec rmdir {} + 2>/dev/null || true)

FROM ${NODE_IMAGE} AS installed
WORKDIR /app
COPY --from=manifests /app .
RUN npm ci --ignore-scripts

FROM installed AS build
COPY . .
RUN npx tsc -b services/gateway services/chat services/federation services/audit applets/axonchat libs/client \
  && npm run build --workspace console

# What each service needs of npm, and of that what it runs: no types, no maps, no installer's notes. From npm's cache of the
# first installation, so nothing is fetched twice.
FROM installed AS dependencies
RUN for workspace in services/gateway services/chat services/federation services/audit applets/axonchat; do \
    image="/images/$(basename "$workspace")" && mkdir -p "$image" \
    && npm ci --ignore-scripts --prefer-offline --omit=dev --workspace "$workspace" --include-workspace-root=false \
    && find . -type d -name node_modules -prune > /tmp/folders && tar -cf - -T /tmp/folders | tar -xf - -C "$image" || exit 1; \
  done \
  && find /images -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name .package-lock.json \) -exec rm {} + \
  && (find /images -depth -type d -exec rmdir {} + 2>/dev/null || true)

FROM build AS files
COPY --from=dependencies /images /images
RUN for workspace in services/gateway services/chat services/federation services/audit applets/axonchat; do \
    node scripts/image-files.mjs "$workspace" "/images/$(basename "$workspace")" || exit 1; \
  done \
  && mkdir -p /images/gateway/console && cp -r console/dist /images/gateway/console/dist
# Files are as old as the sources say, not as the build.
ARG SOURCE_DATE_EPOCH=0
RUN find /images -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

# No shell is needed from here on: everything that runs is node with arguments.
FROM ${NODE_IMAGE} AS service
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 INTERNAL_PORT=9100
USER 65534:65534
EXPOSE 9100
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.INTERNAL_PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ARG NODE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses=Apache-2.0 \
  org.opencontainers.image.version=${VERSION} \
  org.opencontainers.image.revision=${REVISION} \
  org.opencontainers.image.base.name=${NODE_IMAGE}

FROM service AS chat
LABEL org.opencontainers.image.title="Boardwire chat" org.opencontainers.image.description="Boards, their logs and accounts"
COPY --from=files /images/chat .
CMD ["node", "--max-semi-space-size=32", "services/chat/dist/main.js"]

FROM service AS federation
LABEL org.opencontainers.image.title="Boardwire federation" org.opencontainers.image.description="What sites share with each other"
COPY --from=files /images/federation .
CMD ["node", "--max-semi-space-size=32", "services/federation/dist/main.js"]

FROM service AS audit
LABEL org.opencontainers.image.title="Boardwire audit" org.opencontainers.image.description="The Merkle log of events and decisions"
COPY --from=files /images/audit .
CMD ["node", "--max-semi-space-size=32", "services/audit/dist/main.js"]

FROM service AS axonchat
LABEL org.opencontainers.image.title="Boardwire AxonChat" org.opencontainers.image.description="AxonChat's own routes"
COPY --from=files /images/axonchat .
CMD ["node", "--max-semi-space-size=32", "applets/axonchat/dist/main.js"]

# The last one, which a build without a target makes. Node's own young generation: a larger one is memory of each connection.
FROM service AS gateway
LABEL org.opencontainers.image.title="Boardwire gateway" org.opencontainers.image.description="SSE, WebSocket, HTTP and the console"
ENV PORT=8080 CONSOLE_DIR=/app/console/dist
EXPOSE 8080
COPY --from=files /images/gateway .
CMD ["node", "services/gateway/dist/main.js"]
