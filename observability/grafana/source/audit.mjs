import { lines, number, percentiles, row } from './panels.mjs';

export const audit = {
  uid: 'audit',
  title: 'Audit',
  describes: 'How soon what happened is signed, and whether the log is whole.',
  rows: [
    row(
      'Latency and queues of audit',
      percentiles(
        'Commit to signature',
        'boardwire_audit_commit_to_checkpoint_seconds',
        'From an event’s commit in chat until a signed checkpoint covers it.',
      ),
      lines(
        'Queue depth',
        'short',
        { '{{queue}}': 'sum by (queue) (boardwire_queue_depth{job="audit"})' },
        'sequencer: entries wait for their number; audit inbox: decisions of other services.',
      ),
      percentiles('Time spent in queues', 'boardwire_queue_wait_seconds', 'Its 99th percentile, of each queue.', {
        where: '{job="audit"}',
        by: 'queue',
        quantiles: [0.99],
      }),
    ),
    row(
      'Is it whole?',
      number(
        'Gaps',
        'short',
        'max(boardwire_audit_gaps)',
        'Runs of numbers that should be in the log and are not. Anything but 0 is an alarm.',
        { alarm: 1 },
      ),
      number(
        'Findings of the scrub',
        'short',
        'max(boardwire_audit_scrub_findings)',
        'What the last comparison of the log with itself found that does not fit. Anything but 0 is an alarm.',
        { alarm: 1 },
      ),
      number(
        'Newest checkpoint',
        's',
        'min(boardwire_audit_checkpoint_age_seconds)',
        'Its age. It grows while nothing happens; while entries come it stays around a second.',
      ),
      number(
        'Epochs begun',
        'short',
        'sum(boardwire_audit_epochs_total) or vector(0)',
        'A new epoch means that a backup was put back.',
        { warn: 1 },
      ),
    ),
    row(
      'Growth',
      lines(
        'Entries',
        'ops',
        { '{{kind}}': 'sum by (kind) (rate(boardwire_audit_entries_total[$__rate_interval]))' },
        'What is appended.',
      ),
      percentiles('One append', 'boardwire_audit_append_seconds', 'Time of a transaction.'),
      lines(
        'Waiting in JetStream',
        'short',
        { '{{consumer}}': 'max by (consumer) (boardwire_consumer_pending{job="audit"})' },
        'Events that audit has not taken yet.',
      ),
    ),
    row(
      'Reading and keeping',
      lines(
        'Requests',
        'ops',
        { '{{action}} {{outcome}}': 'sum by (action, outcome) (rate(boardwire_audit_reads_total[$__rate_interval]))' },
        'Who asked is in the log itself.',
      ),
      lines(
        'Under way',
        'short',
        { 'live tails': 'sum(boardwire_audit_tails)', files: 'sum(boardwire_audit_exports)' },
        'Answers that go on for long.',
      ),
      lines(
        'Scrub',
        'short',
        { 'entry {{instance}}': 'max by (instance) (boardwire_audit_scrub_position)' },
        'How far the comparison under way has come; rounds come hourly.',
      ),
    ),
  ],
};
