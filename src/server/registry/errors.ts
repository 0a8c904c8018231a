import { inspect } from 'node:util';
import { POLICY_CODE } from '../../oci/proxied-fetch.ts';

/** Error codes of the OCI distribution specification, section "Error Codes". */
export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED'
  // Not in the specification, but the reference implementation answers with it when a gateway fails.
  | 'UNAVAILABLE'
  | typeof POLICY_CODE;

/** Why a request is refused. The message is for the user and holds no secrets. */
export class ProxyError extends Error {
  override name = 'ProxyError';
  readonly status: number;
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ErrorCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** The same error, with the place where it came from. */
  at(place: string): ProxyError {
    return new ProxyError(this.status, this.code, `${place}: ${this.message}`, this.headers);
  }

  /** One line in the server's log is enough, because the fault is not in the program. */
  [inspect.custom](): string {
    return `${this.name}: ${this.message}`;
  }

  /** @param headers the headers of every answer */
  toResponse(headers: Readonly<Record<string, string>>): Response {
    const body = JSON.stringify({ errors: [{ code: this.code, message: this.message }] });
    return new Response(body, {
      status: this.status,
      headers: {
        ...headers,
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
        ...this.headers,
      },
    });
  }
}

/** The registry, or the network between it and us, misbehaves or is down. */
export function badGateway(message: string, headers?: Record<string, string>): ProxyError {
  return new ProxyError(502, 'UNAVAILABLE', message, headers);
}

/** The request is against a rule of this server. The registry was not asked, or its answer is not used. */
export function notAllowed(message: string): ProxyError {
  return new ProxyError(403, POLICY_CODE, message);
}

/** Says how the operator allows a registry. @param entry one of the list of registries */
export function toAllow(entry: string): string {
  return `if it is yours, start it with LINUXRUN_REGISTRIES=default,${entry}`;
}

export function brokenOff(host: string): ProxyError {
  return badGateway(`the connection to ${host} broke off: try again`);
}
