import { readFile } from 'node:fs/promises';
import { Agent, globalAgent } from 'node:https';
import { createSecureContext, rootCertificates } from 'node:tls';

/** Where `run.sh` puts NODE_EXTRA_CA_CERTS: Node itself would read the file at every start, for 40 ms. */
const VARIABLE = 'LINUXRUN_EXTRA_CA_CERTS';

let agent: Promise<Agent> | undefined;

/** An agent that trusts the user's further certificates besides Node's own. */
export function trustingAgent(): Promise<Agent> {
  agent ??= createAgent(process.env[VARIABLE]);
  return agent;
}

async function createAgent(certificates: string | undefined): Promise<Agent> {
  if (!certificates) return globalAgent;
  try {
    const ca = [...rootCertificates, await readFile(certificates, 'utf8')];
    return new Agent({ keepAlive: true, secureContext: createSecureContext({ ca }) });
  } catch (error) {
    // As Node does: what is asked may not need them.
    process.emitWarning(`ignoring the certificates of ${certificates}: ${(error as Error).message}`);
    return globalAgent;
  }
}
