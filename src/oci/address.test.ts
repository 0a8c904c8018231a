import { expect, it } from 'vitest';
import { isInternal, isLoopback } from './address.ts';

const hostname = (host: string) => new URL(`http://${host}/`).hostname;

it.each([
  'localhost',
  'a.localhost',
  '127.0.0.1',
  '127.255.1.1',
  '0x7f.1',
  '2130706433',
  '0177.0.0.1',
  '[::1]',
])('%s is this machine', (host) => {
  expect(isLoopback(hostname(host))).toBe(true);
  expect(isInternal(hostname(host))).toBe(true);
});

it.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '168.63.129.16',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '198.51.100.1',
  '203.0.113.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[::]',
  '[::ffff:10.0.0.1]',
  '[::ffff:8.8.8.8]',
  '[64:ff9b::8.8.8.8]',
  '[fe80::1]',
  '[fd00::1]',
  '[ff02::1]',
  '[2001::1]',
  '[2001:10::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[2002:a00:1::]',
])('%s is not on the internet', (host) => {
  expect(isInternal(hostname(host))).toBe(true);
  expect(isLoopback(hostname(host))).toBe(false);
});

it.each([
  'example.com',
  '8.8.8.8',
  '100.128.0.1',
  '172.32.0.1',
  '192.169.0.1',
  '169.253.1.1',
  '[2606:4700::1]',
  '[2001:4860:4860::8888]',
  '127.example.com',
])('%s is', (host) => {
  expect(isInternal(hostname(host))).toBe(false);
});
