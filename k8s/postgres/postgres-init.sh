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
# Audit runs as a role that owns none of its tables; what has to be forgotten it deletes as another.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -v password="$SERVICE_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE boardwire_audit_append LOGIN NOINHERIT PASSWORD :'password';
ALTER ROLE boardwire_audit_append SET search_path = audit;
CREATE ROLE boardwire_audit_retention NOLOGIN;
GRANT boardwire_audit_retention TO boardwire_audit_append;
SQL
