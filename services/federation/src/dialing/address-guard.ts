import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

// What the registries give to hosts of the open internet; the rest of IPv6 is held back, or means something special.
const globalV6: Network = ipaddr.parseCIDR('2000::/3');

/**
 * Decides which addresses this site may be made to call. A peer's address is a stranger's word: without this, he reads
 * the cloud's metadata, or the services beside ours, through us. Only the open internet is allowed, and what the
 * operator lists.
 */
export class AddressGuard {
  readonly #allowed: readonly Network[];

  /** @param networks in CIDR notation, or single addresses */
  constructor(networks: readonly string[] = []) {
    this.#allowed = networks.map(parseNetwork);
  }

  /** Why an address may not be called; undefined when it may. */
  refusal(text: string): string | undefined {
    const address = parsed(text);
    if (address === undefined) return 'not an address';
    if (this.#isListed(address)) return undefined;
    const range = address.range();
    if (range !== 'unicast') return range;
    return address.kind() === 'ipv6' && !address.match(globalV6) ? 'unassigned' : undefined;
  }

  #isListed(address: Address): boolean {
    // A mapped address reaches the IPv4 host inside it, so it is listed when that one is.
    const meant = address.kind() === 'ipv6' ? unmapped(address as ipaddr.IPv6) : address;
    return this.#allowed.some((network) => network[0].kind() === meant.kind() && meant.match(network));
  }
}

/** @throws when it is no network: the operator's own words are checked at the start. */
export function parseNetwork(text: string): Network {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function parsed(text: string): Address | undefined {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  const address = `http://[${text}]`;
  if (!isIPv6(text) || !URL.canParse(address)) return undefined;
  // Through the one spelling of URLs: ipaddr.js takes ::1.2.3.4 for a mapped address, the system doesn't.
  return ipaddr.IPv6.parse(new URL(address).hostname.slice(1, -1));
}

function unmapped(address: ipaddr.IPv6): Address {
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}
