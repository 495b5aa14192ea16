/** The four output topics, by what they are for. Deployments may rename the topics, never the keys. */
export const DEFAULT_TOPICS = {
  settlement: 'v402.settlement.events.v1',
  payments: 'v402.payments.v1',
  deliveries: 'v402.deliveries.v1',
  rejections: 'v402.settlement.rejections.v1',
} as const;

export type TopicKey = keyof typeof DEFAULT_TOPICS;
