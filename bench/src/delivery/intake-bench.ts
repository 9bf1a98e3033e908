import type { FeedPlan } from '../contenders/contender.ts';
import { GatewayContender } from '../contenders/gateway-contender.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import type { OptionValues } from '../options.ts';
import { atLeast, benchResult, type BenchResult } from '../result.ts';
import { median, spread } from '../report/statistics.ts';
import { accessTokens } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { onStage, stageNotes, type Say } from '../rig/stage.ts';
import { assertComplete, measureRound, type Entry, type Round } from './measure-round.ts';

export const intakeHelp = `How many events a second the whole gateway brings from JetStream to one subscriber: published as fast as they go, and
counted until the last one has arrived.

  npm run bench -- intake [--events 200000] [--rounds 5]
`;

const askedPerSecond = 50_000;
/** More than any feeder makes: it sends without a pause. */
const flood = { rate: 1_000_000, burst: 100 };

export const benchIntake = {
  help: intakeHelp,
  defaults: { events: 200_000, rounds: 5 },
  quick: { events: 100_000, rounds: 3 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const events = Number(options['events']);
      const { folder, cores, programs } = stage;
      const rig = stage.own(await GatewayRig.start({ folder, cores, boards: ['intake'], keptMax: 2 * events }));
      const tokens = await accessTokens(rig.chat, 1);
      const contender = new GatewayContender({ rig, board: 'intake', transport: 'sse', tokens });
      // It doesn't give way to the feeder: a reader that starves would be cut as a slow one.
      const { target } = contender;
      const opened = await LoadGenerator.open({
        program: programs.load,
        target,
        connections: 1,
        core: cores?.load,
        nice: 0,
      });
      const entry = { contender, load: stage.own(opened.load) };
      const plan = { ...flood, seconds: events / flood.rate, isBatched: true };
      const rounds: Round[] = [];
      const backlogs: number[] = [];
      await measureRound(entry, { ...plan, seconds: plan.seconds / 4 });
      for (let round = 1; round <= Number(options['rounds']); round += 1) {
        // oxlint-disable-next-line no-await-in-loop
        rounds.push(await measureRound(entry, plan));
        // oxlint-disable-next-line no-await-in-loop
        backlogs.push(await measureBacklog(rig, entry, plan));
        const { deliveriesPerSecond, microsPerDelivery } = rounds.at(-1)!;
        say(
          `  … round ${round}: ${Math.round(deliveriesPerSecond)} events/s, ${microsPerDelivery.toFixed(1)} µs of the gateway each; ` +
            `from a backlog ${Math.round(backlogs.at(-1)!)} events/s`,
        );
      }
      const micros = rounds.map(({ microsPerDelivery }) => microsPerDelivery);
      const rates = rounds.map(({ deliveriesPerSecond }) => deliveriesPerSecond);
      const filled = await rig.metric('boardwire_gap_fill_events_total');
      const rows = [
        {
          what: 'events a second, with feeder and nats-server beside it',
          value: median(rates),
          unit: '/s',
          note: spread(rates, 0),
        },
        { what: 'CPU of the gateway for each event', value: median(micros), unit: 'µs', note: spread(micros) },
        atLeast('events a second from a backlog', median(backlogs), '/s', askedPerSecond, spread(backlogs, 0)),
        { what: 'events that were read from the log instead', value: filled, unit: '' },
      ];
      return benchResult('intake', options, rows, [
        ...stageNotes(stage),
        'Backlog: the gateway is frozen while the events are published, and the clock runs from its release to the last arrival.',
      ]);
    }),
};

/** @returns events a second from the release of the gateway until the last one has arrived. */
async function measureBacklog(rig: GatewayRig, { contender, load }: Entry, plan: FeedPlan): Promise<number> {
  load.go(contender.next);
  await rig.pause();
  const events = await contender.feed(plan);
  const released = performance.now();
  await rig.resume();
  await load.drained(events);
  const tookMs = performance.now() - released;
  assertComplete('backlog', await load.halt(), { events, connections: 1 });
  return (events * 1_000) / tookMs;
}
