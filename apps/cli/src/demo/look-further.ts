import { relative } from 'node:path';
import { shortRefOf } from '@v402/contract';
import type { AppProcess, LocalSystem } from '@v402/local-system';
import type { SimulatedMessage } from '@v402/simulators';

/** What to try next, where nothing was kept. */
export function nextText(): string {
  return '\nTo look at it at leisure: npm run demo -- --keep\n';
}

/** How to look at what goes on running, and how to stop it. */
export function keptText(
  system: LocalSystem,
  standalone: AppProcess,
  messages: readonly SimulatedMessage[],
  folder: string,
): string {
  const here = relative(process.cwd(), folder);
  const accepted = messages.map(({ outcome }) => outcome).find(({ kind }) => kind === 'accepted');
  const shortRef = accepted?.kind === 'accepted' ? shortRefOf(accepted.contractId) : 'SHORTREF';
  return `
Everything goes on running. To look further:

  export V402_DATABASE_URL='${system.urls.appUrl}'
  npx v402 overview
  npx v402 show ${shortRef}

  the order book   psql '${system.urls.orderbookUrl}' -c 'SELECT * FROM orderbook.order_head'
  the topics       ${system.outputTopics.join('\n                   ')}
                   at ${system.connection.brokers.join(',')}
  the log          ${relative(process.cwd(), system.logFile)}

To stop it:

  kill ${standalone.pid}
  node tools/local-parts/bin/stop-kept.js ${here}
  rm -r ${here}
`;
}
