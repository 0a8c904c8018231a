import { readFile } from 'node:fs/promises';
import { Agent, globalAgent } from 'node:https';
import { createSecureContext, rootCertificates } from 'node:tls';

/** `run.sh` moves NODE_EXTRA_CA_CERTS here, because Node reads the file at every start, which takes 40 ms. */
const VARIABLE = 'LINUXRUN_EXTRA_CA_CERTS';

let agent: Promise<Agent> | undefined;

/** An agent that trusts the user's extra certificates and Node's own. */
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
    // As in Node: the request may not need them.
    process.emitWarning(`ignoring the certificates of ${certificates}: ${(error as Error).message}`);
    return globalAgent;
  }
}
