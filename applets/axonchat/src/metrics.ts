import type { Metrics } from '@boardwire/service-kit';

export interface AxonchatMetrics {
  posted(): void;
  refused(code: string): void;
}

export function axonchatMetrics(metrics: Metrics): AxonchatMetrics {
  const posts = metrics.counter('axonchat_posts_total', 'Messages posted through the older wire, by outcome.', [
    'outcome',
  ]);
  return { posted: () => posts.inc({ outcome: 'posted' }), refused: (code) => posts.inc({ outcome: code }) };
}
