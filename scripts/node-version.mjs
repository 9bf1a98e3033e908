const needed = [20, 19];

/** Ends the process with a clear line when this Node is too old to run anything here. */
export function assertNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > needed[0] || (major === needed[0] && minor >= needed[1])) return;
  process.stderr.write(
    `Boardwire needs Node ${needed.join('.')} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer one (https://nodejs.org) and run the command again.\n',
  );
  process.exit(1);
}
