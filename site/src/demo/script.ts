import { encodeToken, type PlainEvent } from '@boardwire/contracts';
import { people } from './people.ts';
import { phrases } from './phrases.ts';
import { Random } from './random.ts';

/** Who publishes: a person by number, or one of the programs. */
export type Publisher = number | 'programs';

export interface ScriptedEvent {
  /** Milliseconds since the two hours began. */
  atMs: number;
  publisher: Publisher;
  event: PlainEvent & { id: string };
}

export const scriptMs = 2 * 3_600_000;
export const board = 'events';

const rooms = ['lobby', 'lobby', 'lobby', 'lobby', 'off topic', 'café', '日本語', 'ערב טוב'];
const games = ['pong', 'tetris', 'go', 'chess'];
const symbols = ['BTC-USD', 'ETH-USD', 'XAU-EUR', 'EUR-CHF'];
const alertTexts = [
  'Disk of storage-2 is 85 % full',
  'New record',
  'Maintenance at 22:00 UTC',
  'Latency is back to normal',
];

/**
 * Two busy hours: people talk in waves, games score, traders decide in cycles, now and then an alert. The same seed
 * and run give the same events; another run of a seed tells the same with other ids.
 */
export function writeScript(options: { seed: number; events: number; run: string }): ScriptedEvent[] {
  const random = new Random(options.seed);
  const times = momentsOf(random, options.events);
  return times.map((atMs, n) => {
    const { publisher, event } = nextEvent(random, n);
    return { atMs, publisher, event: { ...event, id: `demo-${options.seed}-${options.run}-${n}` } };
  });
}

/** Four in ten fall into one of a dozen waves of a minute or so: a goal, a joke, a crash of the market. */
function momentsOf(random: Random, count: number): number[] {
  const waves = Array.from({ length: 12 }, () => random.next() * scriptMs);
  const moment = () => (random.chance(0.4) ? random.pick(waves) + random.spread() * 45_000 : random.next() * scriptMs);
  return Array.from({ length: count }, () => Math.min(Math.max(moment(), 0), scriptMs)).toSorted((a, b) => a - b);
}

function nextEvent(random: Random, n: number): { publisher: Publisher; event: PlainEvent } {
  const dice = random.next();
  if (dice < 0.68) return chatMessage(random);
  if (dice < 0.88) return { publisher: 'programs', event: score(random) };
  if (dice < 0.97) return { publisher: 'programs', event: decision(random, n) };
  return { publisher: 'programs', event: alert(random) };
}

function chatMessage(random: Random): { publisher: number; event: PlainEvent } {
  // A few talk much, most a little.
  const publisher = Math.floor(people.length * random.next() ** 1.6);
  const speaker = people[publisher]!;
  const language = random.pick(speaker.languages);
  const text = random
    .pick<string>(phrases[language])
    .replaceAll('{name}', random.pick(people).name)
    .replaceAll('{n}', String(random.integer(2, 999)));
  const subject = `AxonChat.${encodeToken(random.pick(rooms))}`;
  return { publisher, event: { subject, type: 'chat.message.posted', data: { text, language } } };
}

function score(random: Random): PlainEvent {
  const game = random.pick(games);
  const data = { game, player: random.pick(people).name, points: random.integer(1, 100_000) };
  return { subject: `GameScore.${game}`, type: 'game.score', data };
}

function decision(random: Random, cycle: number): PlainEvent {
  const level = random.chance(0.9) ? 'OK' : random.pick(['WARN', 'ERROR']);
  const isForced = level === 'ERROR';
  const action = isForced ? 'HOLD' : random.pick(['BUY', 'SELL', 'HOLD']);
  const data = {
    trader_id: `trader-${random.integer(1, 4)}`,
    cycle_number: cycle,
    symbol: random.pick(symbols),
    action,
    decision_source: isForced ? 'readiness' : 'model',
    forced_hold: isForced,
    order_executed: action !== 'HOLD',
    price: Number((random.next() * 70_000).toFixed(2)),
    data_readiness: { level, reasons: level === 'OK' ? [] : ['stale_prices'] },
  };
  return { subject: 'room.t_001.decision', type: 'trading.decision', data };
}

function alert(random: Random): PlainEvent {
  const data = { priority: random.pick(['low', 'normal', 'high']), text: random.pick(alertTexts) };
  return { subject: 'SystemAlert', type: 'system.alert', data };
}
