#!/bin/sh
# Runs once in a fresh Postgres container: a role and a schema of its own for each service.
set -eu
for service in chat federation audit; do
  psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v role="boardwire_$service" -v schema="$service" -v password="$SERVICE_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE SCHEMA :"schema" AUTHORIZATION :"role";
ALTER ROLE :"role" SET search_path = :"schema";
SQL
done
