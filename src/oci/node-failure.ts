/** Why a connection has failed, in words: Node only gives codes, some of them without a message. */

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'its name cannot be looked up (DNS); is this computer online?',
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'it has broken the connection off',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its network; is this computer online?',
  EPROTO: 'it does not speak TLS as it should',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate (TLS) is for another name',
  CERT_HAS_EXPIRED: 'its certificate (TLS) has expired',
  CERT_NOT_YET_VALID: 'its certificate (TLS) is not valid yet; is the clock right?',
};
/** OpenSSL's codes for certificates that no known authority has signed. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w*(CERT|SIGNATURE)\w*)$/;
const HOW_TO_TRUST =
  'no authority that Node knows has signed its certificate (TLS); NODE_EXTRA_CA_CERTS=FILE names others';

/** Returns the reason and its code; other errors as they are. */
export function explainFailure(error: NodeJS.ErrnoException): Error {
  const { code = '' } = error;
  const reason = UNTRUSTED.test(code) ? HOW_TO_TRUST : REASONS[code];
  return reason === undefined ? error : new Error(`${reason} (${code})`, { cause: error });
}
