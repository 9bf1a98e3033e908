// Suites run beside each other, each choosing ports for a dozen servers: a range for each worker keeps them apart.
const portMin = 20_000;
const portsEach = 3_000;
const worker = (Number(process.env.JEST_WORKER_ID ?? 1) - 1) % 4;
const first = portMin + worker * portsEach;
process.env.BOARDWIRE_PORT_RANGE = `${first}-${first + portsEach - 1}`;
