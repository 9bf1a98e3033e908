import { heatmap, lines, number, percentiles, row } from './panels.mjs';

export const logAndBus = {
  uid: 'log-and-bus',
  title: 'Log and bus',
  describes:
    'The way of an event into Postgres, from there into the mirror on JetStream, and how far those are that follow it.',
  rows: [
    row(
      'Latency and queues of chat',
      percentiles(
        'Commit of a batch',
        'boardwire_append_seconds',
        'One transaction of the log, as the service sees it: Postgres and the way to it.',
      ),
      lines(
        'Queue depth',
        'short',
        { '{{queue}}': 'sum by (queue) (boardwire_queue_depth{job="chat"})' },
        'append: events wait for their commit; relay: for the mirror.',
      ),
      percentiles('Time spent in queues', 'boardwire_queue_wait_seconds', 'Its 99th percentile, of each queue.', {
        where: '{job="chat"}',
        by: 'queue',
        quantiles: [0.99],
      }),
    ),
    row(
      'The log',
      heatmap(
        'Events in one commit',
        'boardwire_append_batch_size',
        'More at once is how the log carries more: full batches all the time are its limit.',
        'short',
      ),
      lines(
        'Appended',
        'ops',
        { '{{outcome}}': 'sum by (outcome) (rate(boardwire_append_outcomes_total[$__rate_interval]))' },
        'repeated: the event was in the log already, and its publisher was told so.',
      ),
      lines(
        'Let go',
        'ops',
        { events: 'sum(rate(boardwire_retention_pruned_events_total[$__rate_interval]))' },
        'Events that outlived their board’s retention.',
      ),
    ),
    row(
      'The mirror',
      number(
        'Not in the mirror',
        'short',
        'sum(boardwire_relay_backlog_events)',
        'Events of the log that JetStream has not acknowledged. Nothing is lost, all wait.',
        { warn: 1_000, alarm: 10_000 },
      ),
      number('The mirror is behind for', 's', 'max(boardwire_relay_lag_seconds)', 'Since it last had the whole log.', {
        warn: 2,
        alarm: 10,
      }),
      lines(
        'Relayed',
        'ops',
        {
          events: 'sum(rate(boardwire_relay_events_total[$__rate_interval]))',
          'begun again': 'sum(rate(boardwire_relay_failures_total[$__rate_interval])) or vector(0)',
        },
        'Acknowledged by JetStream, and publications that had to be begun again.',
      ),
    ),
    row(
      'Who follows',
      lines(
        'Waiting in JetStream',
        'short',
        { '{{consumer}}': 'max by (consumer) (boardwire_consumer_pending)' },
        'Messages of the mirror behind the last one that was delivered to this consumer.',
      ),
      lines(
        'Not handled yet',
        'short',
        { '{{job}} {{instance}}': 'sum by (job, instance) (boardwire_follower_lag_events)' },
        'Events of the log that the service is not done with, wherever they wait.',
      ),
      lines(
        'Attached to the mirror',
        'short',
        { '{{job}} {{instance}}': 'min by (job, instance) (boardwire_intake_attached)' },
        '0: it reads the log from chat, which is slower and harder on chat.',
      ),
    ),
    row(
      'Postgres',
      percentiles(
        'The cheapest statement',
        'boardwire_database_probe_seconds',
        'SELECT 1, asked twice a second: the way there and back, and whether the server has time.',
        { by: 'job', quantiles: [0.99] },
      ),
      lines(
        'Connections at work',
        'short',
        { '{{job}} {{instance}}': 'sum by (job, instance) (boardwire_database_connections{state="busy"})' },
        'Of the service’s pool (DATABASE_POOL_MAX).',
      ),
      lines(
        'Statements that wait for a connection',
        'short',
        { '{{job}} {{instance}}': 'sum by (job, instance) (boardwire_queue_depth{queue="database"})' },
        'More than a few for long: a larger pool, or a faster database.',
      ),
      lines(
        'Room on the disks',
        'percentunit',
        { '{{disk}}': 'min by (disk) (boardwire:disk_free:ratio)' },
        'What is left for the data of Postgres and NATS. Below 5 % is an alarm: on a full disk both refuse everything.',
      ),
    ),
    row(
      'Between services',
      percentiles(
        'Requests to another service',
        'boardwire_internal_http_seconds',
        'Their 99th percentile, by who asks.',
        { by: 'job', quantiles: [0.99] },
      ),
      percentiles('Requests to chat', 'boardwire_http_seconds', 'As chat sees them, by route.', {
        where: '{job="chat", server="internal"}',
        by: 'route',
        quantiles: [0.99],
      }),
      lines(
        'Signing in',
        'ops',
        { '{{outcome}}': 'sum by (outcome) (rate(boardwire_auth_attempts_total[$__rate_interval]))' },
        'Attempts to register, to log in, to refresh a token.',
      ),
    ),
  ],
};
