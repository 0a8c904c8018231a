import { expect, it } from 'vitest';
import { changeConfig } from './config-change.ts';

const CONFIG = { Env: ['A=1', 'B=2'], Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} }, Cmd: ['old'] };

it.each<[string, object]>([
  ['CMD ["sh", "-c", "a b"]', { Cmd: ['sh', '-c', 'a b'] }],
  ['cmd echo $HOME', { Cmd: ['/bin/sh', '-c', 'echo $HOME'] }],
  ['ENTRYPOINT []', { Entrypoint: [] }],
  ['ENV A=3 C="d e"', { Env: ['A=3', 'B=2', 'C=d e'] }],
  ['ENV C d e', { Env: ['A=1', 'B=2', 'C=d e'] }],
  ['LABEL c=d=e', { Labels: { a: 'b', c: 'd=e' } }],
  ['EXPOSE 53/udp 8080', { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8080/tcp': {} } }],
  ['VOLUME /data', { Volumes: { '/data': {} } }],
  ['VOLUME ["/a b"]', { Volumes: { '/a b': {} } }],
  ['USER nobody', { User: 'nobody' }],
  ['WORKDIR /srv', { WorkingDir: '/srv' }],
  ['STOPSIGNAL SIGQUIT', { StopSignal: 'SIGQUIT' }],
])('%s', (instruction, changes) => {
  expect(changeConfig(CONFIG, instruction)).toEqual({ ...CONFIG, ...changes });
});

it.each([
  ['RUN make', 'the instructions are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR'],
  ['constructor x', 'the instructions are'],
  ['CMD', 'CMD needs a value'],
  ['ENV A=1 B', 'is no list of NAME=value'],
  ['EXPOSE http', '"http" is no port'],
  ['WORKDIR srv', 'absolute path'],
  ['STOPSIGNAL never', 'never'],
])('%s is refused', (instruction, message) => {
  expect(() => changeConfig(CONFIG, instruction)).toThrow(message);
});
