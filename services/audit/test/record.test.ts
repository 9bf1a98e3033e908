import { canonicalJson } from '@boardwire/signing';
import { seededRandom } from '@boardwire/test-kit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decisionEntry } from '../src/decisions/decision-entry.ts';
import { eventEntry } from '../src/log/event-entry.ts';
import { ZoneDays } from '../src/log/zone-days.ts';
import { eventAt } from './log-fixture.ts';

const { seed } = seededRandom();
const calendar = { day: '2026-11-01', zone: 'Europe/Rome' };

describe('the record of an event', () => {
  test('is canonical JSON whatever the event holds', () => {
    const texts = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(texts, texts, texts, texts, fc.nat(), (id, author, origin, source, seq) => {
        const bytes = Buffer.from(JSON.stringify({ id, author, origin, source, time: id, data: author }));
        const { record } = eventEntry(eventAt('events', seq, { bytes, subject: author, type: id }), calendar);
        expect(record).toBe(canonicalJson(JSON.parse(record)));
        expect(record).not.toContain(String.raw`\u0000`);
      }),
      { seed },
    );
  });

  test('names what is needed to find the event, and no place in the audit log', () => {
    const { record } = eventEntry(eventAt('events', 7), calendar);
    expect(JSON.parse(record)).toEqual({
      actor: 'u1',
      at: '2026-11-01T12:00:00.007Z',
      board: 'events',
      class: 'log',
      datahash: 'ab'.repeat(32),
      day: '2026-11-01',
      epoch: 'aaaaaaaa',
      id: 'e7',
      kind: 'event',
      origin: 'bs1site',
      seq: 7,
      source: '/users/u1',
      subject: 'AxonChat.lobby',
      time: '2026-11-01T12:00:00Z',
      type: 'chat.message',
      v: 1,
      zone: 'Europe/Rome',
    });
  });

  test('of a removed event keeps its id and hash and says so', () => {
    const removed = { id: 'e7', datahash: 'ab'.repeat(32) };
    const { record, detail } = eventEntry(eventAt('events', 7, { bytes: Buffer.alloc(0), removed }), calendar);
    expect(JSON.parse(record)).toMatchObject({ removed: true, id: 'e7', datahash: 'ab'.repeat(32), actor: '' });
    expect(record).toBe(canonicalJson(JSON.parse(record)));
    expect(detail).toBe('null');
  });

  test('is made of unreadable bytes as well: they must not stop the log', () => {
    const { record, detail } = eventEntry(eventAt('events', 7, { bytes: Buffer.from('{"id":') }), calendar);
    expect(JSON.parse(record)).toMatchObject({ seq: 7, id: '' });
    expect(detail).toBe('null');
  });
});

describe('the record of a decision', () => {
  const item = (more: object = {}) => ({
    position: 1,
    service: 'chat',
    number: 3,
    receivedMs: Date.UTC(2026, 0, 2),
    decision: {
      number: 3,
      action: 'login',
      outcome: 'refused' as const,
      actor: 'mallory',
      at: '2026-01-01T23:30:00+02:00',
      ...more,
    },
  });
  const days = new ZoneDays();
  const rome = { zoneOf: () => 'Europe/Rome', dayOf: (ms: number, zone: string) => days.dayOf(ms, zone) };

  test('is canonical and holds a salted hash of its detail, not the detail', () => {
    const { record, detail } = decisionEntry(item({ detail: { name: 'secret', why: '\ud800' } }), rome);
    expect(record).toBe(canonicalJson(JSON.parse(record)));
    expect(record).not.toContain('secret');
    expect(JSON.parse(detail)).toMatchObject({ data: { name: 'secret', why: '\ufffd' } });
    expect(decisionEntry(item(), rome).record).not.toBe(decisionEntry(item(), rome).record);
  });

  test('stands on the day of its own instant in the zone', () => {
    expect(decisionEntry(item(), rome).day).toBe('2026-01-01');
    expect(decisionEntry(item({ at: '2026-01-01T23:30:00Z' }), rome).day).toBe('2026-01-02');
  });

  test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00'])(
    'with a time beyond all calendars, %s, stands on the day it came',
    (at) => {
      expect(decisionEntry(item({ at }), rome).day).toBe('2026-01-02');
    },
  );
});

describe('days by zone', () => {
  const days = new ZoneDays();
  const dayOf = (time: string, zone: string) => days.dayOf(Date.parse(time), zone);

  test('23:30 local stands on that day, on both sides of summer time', () => {
    expect(dayOf('2026-07-01T21:30:00Z', 'Europe/Rome')).toBe('2026-07-01');
    expect(dayOf('2026-07-01T22:00:00Z', 'Europe/Rome')).toBe('2026-07-02');
    expect(dayOf('2026-12-01T22:59:59.999Z', 'Europe/Rome')).toBe('2026-12-01');
    expect(dayOf('2026-12-01T23:00:00Z', 'Europe/Rome')).toBe('2026-12-02');
  });

  test.each([
    ['2026-10-25', 25],
    ['2026-03-29', 23],
    ['2026-06-01', 24],
  ])('%s has %i hours in Rome', (day, hours) => {
    const noon = Date.parse(`${day}T12:00:00Z`);
    const around = Array.from({ length: 72 }, (_, at) => noon + (at - 36) * 3_600_000);
    expect(around.filter((ms) => days.dayOf(ms, 'Europe/Rome') === day)).toHaveLength(hours);
  });

  test('what is remembered is what the calendar says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia'),
        fc.integer({ min: Date.UTC(1973, 0), max: Date.UTC(2099, 0) }),
        (zone, ms) => {
          const parts = new Intl.DateTimeFormat('en', {
            timeZone: zone,
            year: 'numeric',
            month: '2-digit',
            day: '2-digit',
          });
          const of = (type: string) => parts.formatToParts(ms).find((part) => part.type === type)!.value;
          const direct = `${of('year')}-${of('month')}-${of('day')}`;
          expect(days.dayOf(ms, zone)).toBe(direct);
          expect(new ZoneDays().dayOf(ms, zone)).toBe(direct);
        },
      ),
      { seed },
    );
  });
});
