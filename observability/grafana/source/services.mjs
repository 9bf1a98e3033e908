import { lines, number, percentiles, row } from './panels.mjs';

export const services = {
  uid: 'services',
  title: 'Services',
  describes: 'Rate, errors and duration of every service, and what its process is like.',
  rows: [
    row(
      'Latency and queues',
      percentiles('Answers', 'boardwire_http_seconds', 'The 99th percentile of every service’s HTTP answers.', {
        by: 'job',
        quantiles: [0.99],
      }),
      lines(
        'Queue depth',
        'short',
        { '{{job}} {{queue}}': 'sum by (job, queue) (boardwire_queue_depth)' },
        'What waits, in all services.',
      ),
    ),
    row(
      'Rate and errors',
      lines(
        'Requests',
        'ops',
        { '{{job}}': 'sum by (job) (rate(boardwire_http_seconds_count[$__rate_interval]))' },
        'HTTP answers of both ports.',
      ),
      lines(
        'Answers of 5xx',
        'ops',
        {
          '{{job}} {{route}}':
            'sum by (job, route) (rate(boardwire_http_seconds_count{code=~"5..", route!="/readyz"}[$__rate_interval])) or vector(0)',
        },
        'A 503 with Retry-After is part of it: something was away.',
      ),
      lines(
        'Requests to other services',
        'ops',
        { '{{job}}': 'sum by (job) (rate(boardwire_internal_http_seconds_count[$__rate_interval]))' },
        'By who asks.',
      ),
    ),
    row(
      'Health',
      number('Not ready', 'short', 'count(boardwire_ready == 0) or vector(0)', 'Replicas that take no requests.', {
        alarm: 1,
      }),
      number(
        'Degraded',
        'short',
        'count(boardwire_degraded == 1) or vector(0)',
        'Replicas that go on without something.',
        { warn: 1 },
      ),
      lines(
        'Loops without a sign of life',
        's',
        { '{{job}} {{loop}}': 'topk(5, time() - max by (job, loop) (boardwire_loop_last_beat_seconds))' },
        'The five that said nothing for longest. Most say something each second.',
      ),
      lines(
        'Loops begun again',
        'ops',
        {
          '{{job}} {{loop}}': 'sum by (job, loop) (rate(boardwire_loop_restarts_total[$__rate_interval])) or vector(0)',
        },
        'After an error, or because they were silent.',
      ),
    ),
    row(
      'Processes',
      lines(
        'Event loop, 99th percentile',
        's',
        { '{{job}} {{instance}}': 'nodejs_eventloop_lag_p99_seconds' },
        'How late a timer is. Around 10 ms is none.',
      ),
      lines('Memory', 'bytes', { '{{job}} {{instance}}': 'process_resident_memory_bytes' }, 'Resident.'),
      lines(
        'CPU',
        'percentunit',
        { '{{job}} {{instance}}': 'rate(process_cpu_seconds_total[$__rate_interval])' },
        '100 % is one core. A gateway that stays there needs company.',
      ),
      lines('Open files', 'short', { '{{job}} {{instance}}': 'process_open_fds' }, 'Each connection is one.'),
    ),
  ],
};
