import { join } from 'node:path';
import type { Contender } from '../contenders/contender.ts';
import { GatewayContender } from '../contenders/gateway-contender.ts';
import { startFloor, startNest, startSocketIo } from '../contenders/peers.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import { accessTokens, usersFor } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { assertMayOpen } from '../rig/process-usage.ts';
import type { Stage } from '../rig/stage.ts';
import type { Entry } from './measure-round.ts';

export const names = {
  floor: 'C',
  sse: 'Boardwire SSE',
  ws: 'Boardwire WebSocket',
  socketIo: 'Socket.IO',
  nest: 'Nest @Sse()',
} as const;

/** Everybody who takes part in a comparison, started, nobody connected yet. */
export async function startLineup(stage: Stage, connectionsMax: number): Promise<Contender[]> {
  const { say, cores, programs } = stage;
  assertMayOpen(connectionsMax);
  const core = cores?.server;
  say('  … starting C floor, gateway, Socket.IO and Nest');
  const floor = stage.own(await startFloor(programs.floor, { core }));
  const gateways = await startGateways(stage, connectionsMax);
  const socketIo = stage.own(await startSocketIo({ core }));
  const nest = stage.own(await startNest({ core }));
  return [floor, ...gateways, socketIo, nest];
}

/** A gateway for SSE and one for WebSocket clients: like everybody else, it holds only those that are measured. */
export async function startGateways(stage: Stage, connectionsMax: number): Promise<GatewayContender[]> {
  const started: GatewayContender[] = [];
  for (const transport of ['sse', 'ws'] as const) {
    const folder = join(stage.folder, transport);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const rig = stage.own(await GatewayRig.start({ folder, cores: stage.cores, boards: [transport] }));
    // oxlint-disable-next-line no-await-in-loop
    const tokens = await accessTokens(rig.chat, usersFor(connectionsMax));
    started.push(new GatewayContender({ rig, board: transport, transport, tokens }));
  }
  return started;
}

/** Connects clients to each of them. */
export async function connectAll(
  stage: Stage,
  contenders: readonly Contender[],
  connections: number,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const contender of contenders) {
    // oxlint-disable-next-line no-await-in-loop -- one server at a time
    const { load, opened } = await LoadGenerator.open({
      program: stage.programs.load,
      target: contender.target,
      connections,
      core: stage.cores?.load,
    });
    stage.own(load);
    stage.say(`  … ${contender.name}: ${connections} connections in ${(opened.lastReadyMs / 1_000).toFixed(1)} s`);
    entries.push({ contender, load });
  }
  return entries;
}
