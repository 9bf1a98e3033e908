import { heatmap, lines, number, percentiles, row } from './panels.mjs';

const gateway = '{job="gateway"}';

export const delivery = {
  uid: 'delivery',
  title: 'Delivery',
  describes:
    'What people who read feel: from the commit of an event to the socket, who is connected, who is slow, who comes back.',
  rows: [
    row(
      'Latency and queues of the gateway',
      percentiles(
        'Publish to deliver',
        'boardwire_publish_to_deliver_seconds',
        'From the commit of a pass’s oldest event until it was written to every socket that wants it.',
      ),
      lines(
        'Queue depth',
        'short',
        { '{{queue}}': `sum by (queue) (boardwire_queue_depth${gateway})` },
        'What waits in the gateways. outbox: sockets that don’t take what is written; hole_fill: behind a hole in what the bus brought; replay: streams that wait for their turn.',
      ),
      percentiles('Time spent in queues', 'boardwire_queue_wait_seconds', 'Its 99th percentile, of each queue.', {
        where: gateway,
        by: 'queue',
        quantiles: [0.99],
      }),
    ),
    row(
      'How latency spreads',
      heatmap(
        'Publish to deliver',
        'boardwire_publish_to_deliver_seconds',
        'A second band above the first is one kind of client or one gateway: compare with the slow clients below.',
      ),
      number(
        'Within 250 ms, last hour',
        'percentunit',
        'sum(rate(boardwire_publish_to_deliver_seconds_bucket{le="0.25"}[1h])) / sum(rate(boardwire_publish_to_deliver_seconds_count[1h]))',
        'What the alerts on delivery latency spend: 99.9 % is promised.',
      ),
    ),
    row(
      'Who is there',
      lines(
        'Connections',
        'short',
        { '{{transport}}': 'sum by (transport) (boardwire_gateway_connections)' },
        'Open streams and sockets over all gateways.',
      ),
      lines(
        'Subscriptions and people',
        'short',
        { subscriptions: 'sum(boardwire_subscriptions)', people: 'max(boardwire_presence_users)' },
        'Subscriptions over all gateways; people as one of them counts them, since each knows all.',
      ),
      lines(
        'Deliveries',
        'ops',
        { '{{instance}}': 'sum by (instance) (rate(boardwire_deliveries_total[$__rate_interval]))' },
        'Writes of live events to sockets.',
      ),
    ),
    row(
      'Slow clients',
      lines(
        'Waiting in outboxes',
        'bytes',
        { '{{instance}}': 'sum by (instance) (boardwire_outbox_bytes)' },
        'Bytes that sockets have not taken. All of a gateway’s share one budget.',
      ),
      lines(
        'Cut or conflated',
        'ops',
        {
          'cut: {{why}}': 'sum by (why) (rate(boardwire_slow_cuts_total[$__rate_interval]))',
          conflated: 'sum(rate(boardwire_conflated_total[$__rate_interval]))',
        },
        'Clients cut for being slow, and events left out for newer ones of their subject.',
      ),
      lines(
        'Connections that ended',
        'ops',
        { '{{transport}} {{code}}': 'sum by (transport, code) (rate(boardwire_closes_total[$__rate_interval]))' },
        'By the code that the client got.',
      ),
    ),
    row(
      'Coming back',
      lines(
        'Streams opened',
        'ops',
        { '{{outcome}}': 'sum by (outcome) (rate(boardwire_resumes_total[$__rate_interval]))' },
        'resumed went on behind its cursor; epoch, pruned, too_far and unknown were told to begin anew.',
      ),
      percentiles(
        'Until caught up',
        'boardwire_replay_seconds',
        'From the opening of a stream until it has everything it missed.',
      ),
      lines(
        'Repairs',
        'ops',
        {
          'gap fills': 'sum(rate(boardwire_gap_fills_total{job="gateway"}[$__rate_interval]))',
          'lost tails': 'sum(rate(boardwire_lost_tails_total{job="gateway"}[$__rate_interval]))',
          duplicates: 'sum(rate(boardwire_duplicates_dropped_total{job="gateway"}[$__rate_interval]))',
        },
        'What the bus did not bring, and what it brought twice. Nobody notices; often means trouble with NATS.',
      ),
    ),
    row(
      'Taken and refused',
      lines(
        'Published',
        'ops',
        { '{{outcome}}': 'sum by (outcome) (rate(boardwire_published_events_total[$__rate_interval]))' },
        'Events from publishers. failed: chat or its database was away.',
      ),
      lines(
        'Refused',
        'ops',
        {
          'token: {{reason}}': 'sum by (reason) (rate(boardwire_auth_failures_total[$__rate_interval]))',
          'rate: {{what}}': 'sum by (what) (rate(boardwire_rate_limited_total[$__rate_interval]))',
        },
        'Tokens that don’t hold, and who sends or connects too much.',
      ),
      lines(
        'Newest events in memory',
        'bytes',
        { '{{instance}}': 'sum by (instance) (boardwire_ring_bytes)' },
        'What streams that come back are served from.',
      ),
    ),
  ],
};
