import { expect, test } from 'vitest';
import { networkNotice } from './network-notice.ts';

test('users hear of a network that is down, or that a program has missed', () => {
  const counts = { received: 0, sent: 0 };
  const reason = 'It is switched off';
  expect(networkNotice({ state: 'up', ...counts })).toBeUndefined();
  expect(networkNotice({ state: 'off', reason, ...counts })).toBeUndefined();
  expect(networkNotice({ state: 'off', reason, isMissed: true, ...counts })).toBe(
    'There is no network. It is switched off.',
  );
  expect(networkNotice({ state: 'down', reason, ...counts })).toBe(
    'The network is down. It is switched off.',
  );
});
