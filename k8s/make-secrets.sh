#!/bin/sh
# Prints the Secrets of a new site, each value random: sh k8s/make-secrets.sh local | kubectl apply -f -
# Once: a second run makes others, which neither the database nor the sealed keys know. Keep what it prints in your vault.
set -eu
case ${1:-} in
  local) query='' ;;
  production) query='?sslmode=verify-full&sslrootcert=/etc/boardwire/postgres/ca.crt' ;;
  *) echo "usage: sh k8s/make-secrets.sh local|production" >&2; exit 2 ;;
esac
random() { head -c 24 /dev/urandom | od -An -vtx1 | tr -d ' \n'; }
url() { echo "postgres://boardwire_$1:$2@postgres-rw:5432/boardwire$query"; }
secret() { printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: boardwire\ntype: %s\nstringData:\n' "$1" "$2"; }
entry() { printf "  %s: '%s'\n" "$1" "$2"; }

secret site-secrets Opaque
for key in INTERNAL_SECRET KEY_SECRET NATS_TOKEN ADMIN_PASSWORD; do entry "$key" "$(random)"; done

chat=$(random) federation=$(random) audit=$(random) append=$(random)
# The container of the local overlay gives all roles one password.
if [ "$1" = local ]; then federation=$chat audit=$chat append=$chat; fi
secret database-urls Opaque
entry CHAT "$(url chat "$chat")"
entry FEDERATION "$(url federation "$federation")"
entry AUDIT "$(url audit_append "$append")"
entry AUDIT_OWNER "$(url audit "$audit")"

if [ "$1" = local ]; then
  secret postgres-passwords Opaque
  entry SUPERUSER "$(random)"
  entry SERVICES "$chat"
  exit
fi
role() {
  secret "postgres-$1" kubernetes.io/basic-auth
  entry username "boardwire_$(echo "$1" | tr - _)"
  entry password "$2"
}
role chat "$chat"
role federation "$federation"
role audit "$audit"
role audit-append "$append"
