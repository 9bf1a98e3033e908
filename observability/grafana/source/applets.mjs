import { lines, percentiles, row } from './panels.mjs';

export const applets = {
  uid: 'applets',
  title: 'Applets',
  describes: 'The older wires that applets speak.',
  rows: [
    row(
      'Latency and queues of AxonChat',
      percentiles('Answers', 'boardwire_http_seconds', 'As the applet sees them.', { where: '{job="axonchat"}' }),
      lines(
        'Queue depth',
        'short',
        { '{{queue}}': 'sum by (queue) (boardwire_queue_depth{job="axonchat"})' },
        'Requests to other services that are under way.',
      ),
    ),
    row(
      'AxonChat',
      lines(
        'Posts',
        'ops',
        { '{{outcome}}': 'sum by (outcome) (rate(boardwire_axonchat_posts_total[$__rate_interval]))' },
        'Messages that came over the older wire.',
      ),
      lines(
        'Streams of the older wire',
        'short',
        { streams: 'sum(boardwire_gateway_connections{transport="dialect"}) or vector(0)' },
        'They end at the gateway, which speaks that wire too.',
      ),
    ),
  ],
};
