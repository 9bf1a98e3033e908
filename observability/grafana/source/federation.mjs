import { lines, number, percentiles, row } from './panels.mjs';

export const federation = {
  uid: 'federation',
  title: 'Federation',
  describes: 'Whether other sites are heard, how far this one is behind them, and what they sent that was not taken.',
  rows: [
    row(
      'Latency and queues of federation',
      percentiles(
        'Answers to other sites',
        'boardwire_http_seconds',
        'Their 99th percentile, by route; streams aside.',
        { where: '{job="federation", route=~"/fed/.*"}', by: 'route', quantiles: [0.99] },
      ),
      lines(
        'Queue depth',
        'short',
        { '{{queue}}': 'sum by (queue) (boardwire_queue_depth{job="federation"})' },
        'handover: events of other sites that are verified and not yet on the board.',
      ),
      lines(
        'Behind by',
        's',
        { '{{peer}}': 'max by (peer) (boardwire_fed_lag_seconds)' },
        'For how long a peer has had events that are not here.',
      ),
    ),
    row(
      'Peers',
      lines(
        'Peers by state',
        'short',
        { '{{state}}': 'sum by (state) (boardwire_fed_state)' },
        'live is what one wants to see. A site that only dials out is live while it comes by itself.',
      ),
      lines(
        'Events that are known of and not here',
        'short',
        { '{{peer}}': 'max by (peer) (boardwire_fed_lag_events)' },
        'What a peer has told of and this site hasn’t. It falls to 0 after each absence.',
      ),
      lines(
        'Until the next attempt',
        's',
        { '{{peer}}': 'max by (peer) (boardwire_fed_backoff_seconds)' },
        'Of peers that don’t answer. It grows to an hour; a peer that comes by itself is dialled at once.',
      ),
      lines(
        'Clocks',
        's',
        { '{{peer}}': 'max by (peer) (abs(boardwire_fed_clock_offset_seconds))' },
        'How far they are apart. Beyond 300 s requests are refused.',
      ),
    ),
    row(
      'Events',
      lines(
        'Items',
        'ops',
        { '{{dir}} {{outcome}}': 'sum by (dir, outcome) (rate(boardwire_fed_items_total[$__rate_interval]))' },
        'in: what became of other sites’ items. out: accepted into the own feed, streamed, fetched.',
      ),
      lines(
        'Repairs',
        'ops',
        { '{{outcome}}': 'sum by (outcome) (rate(boardwire_fed_repairs_total[$__rate_interval]))' },
        'Gaps that were fetched from a member, or that nobody could fill.',
      ),
      lines(
        'Streams and what waits in them',
        'short',
        { streams: 'sum(boardwire_fed_streams_open)', 'KiB waiting': 'sum(boardwire_fed_outbound_bytes) / 1024' },
        'Streams that peers have open here. One that doesn’t read is ended at 4 MiB.',
      ),
    ),
    row(
      'What is refused',
      lines(
        'Requests that proved nothing',
        'ops',
        { '{{reason}}': 'sum by (reason) (rate(boardwire_fed_sig_failures_total[$__rate_interval])) or vector(0)' },
        'Each kind is in the audit log, a few of each.',
      ),
      number(
        'Two headers at one place',
        'short',
        'sum(boardwire_fed_equivocations_total)',
        'A site has signed two things for one place: a stolen key, or a backup that was put back without a new epoch.',
        { alarm: 1 },
      ),
      lines(
        'Waiting in JetStream',
        'short',
        { '{{consumer}}': 'max by (consumer) (boardwire_consumer_pending{job="federation"})' },
        'Own events that are not in the feeds yet.',
      ),
    ),
    row(
      'What ends or grows old',
      lines(
        'Certificate ends in',
        's',
        { '{{host}}': 'min by (host) (boardwire_fed_certificate_expires_timestamp_seconds) - time()' },
        'Of the site’s own https addresses, as another site is shown it. Below 14 days somebody has to look.',
      ),
      lines(
        'Looks at the certificates',
        'short',
        { '{{outcome}}': 'sum by (outcome) (increase(boardwire_fed_certificate_looks_total[1d]))' },
        'Once an hour by each replica. untrusted: others refuse it. unreachable: the pods don’t reach the site’s own address.',
      ),
      lines(
        'Age of keys',
        's',
        { '{{use}}': 'max by (use) (boardwire_fed_key_age_seconds)', tokens: 'min(boardwire_token_key_age_seconds)' },
        'The root key is the site’s name and stays; the others are replaced now and then.',
      ),
    ),
  ],
};
