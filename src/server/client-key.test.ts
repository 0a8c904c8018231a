import { describe, expect, it } from 'vitest';
import { clientKey, clientOf } from './client-key.ts';

describe('clientKey', () => {
  it('takes IPv4 addresses as they are', () => {
    expect(clientKey('192.0.2.7')).toBe('192.0.2.7');
    expect(clientKey('::ffff:192.0.2.7')).toBe('192.0.2.7');
  });

  it('takes the network of IPv6 addresses', () => {
    expect(clientKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(clientKey('2001:0DB8:1:2::9')).toBe('2001:db8:1:2');
    expect(clientKey('2001:db8::9')).toBe('2001:db8:0:0');
    expect(clientKey('::1')).toBe('0:0:0:0');
    expect(clientKey('fe80::1%eth0')).toBe('fe80:0:0:0');
  });
});

describe('clientOf', () => {
  const sender = (forwarded?: string) => ({
    headers: { 'x-forwarded-for': forwarded },
    socket: { remoteAddress: '::ffff:127.0.0.1' },
  });

  it('takes the last address that a trusted proxy has written', () => {
    expect(clientOf(sender('203.0.113.9, 192.0.2.7'), true)).toBe('192.0.2.7');
    expect(clientOf(sender(), true)).toBe('127.0.0.1');
  });

  it('otherwise takes the address that the connection comes from', () => {
    expect(clientOf(sender('192.0.2.7'), false)).toBe('127.0.0.1');
  });
});
