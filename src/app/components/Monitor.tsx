import { useCallback, useEffect, useState } from 'react';
import { printable } from '../../text/byte-text.ts';
import { messageOf } from '../../text/message.ts';
import type { ProcessInfo } from '../machine/container-processes.ts';
import { formatBytes } from '../model/format.ts';
import type { Reading } from '../model/reading.ts';
import { formatRate } from '../model/traffic.ts';
import { current } from '../stores/connection.ts';
import { useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';

/** The seconds that a graph shows. */
const SECONDS = 120;
/** Between two looks at the processes, in ms. */
const INTERVAL = 2000;

/** Graphs of what the machine uses, and its processes. */
export default function Monitor() {
  const { run, readings, lessMemory } = useSession();
  const last = readings.at(-1);
  if (!run || !last) return null;
  const { diskBytes } = run.wish;
  const memoryBytes = lessMemory ?? run.wish.memoryBytes;
  const rates = readings.flatMap(({ received, sent }) => [received, sent]);
  return (
    <>
      <div className="graphs">
        <Graph
          title="CPU"
          value={`${Math.round(last.cpu * 100)} %`}
          readings={readings}
          lines={[({ cpu }) => cpu]}
          most={1}
        />
        <Graph
          title="Memory"
          value={`${formatBytes(last.memory)} of ${formatBytes(memoryBytes)}`}
          readings={readings}
          lines={[({ memory }) => memory]}
          most={memoryBytes}
        />
        <Graph
          title="Disk"
          value={`${formatBytes(last.disk)} of ${formatBytes(diskBytes)}`}
          readings={readings}
          lines={[({ disk }) => disk]}
          most={diskBytes}
        />
        <Graph
          title="Network"
          value={`${formatRate(last.received)} in, ${formatRate(last.sent)} out`}
          readings={readings}
          lines={[({ received }) => received, ({ sent }) => sent]}
          most={Math.max(1024, ...rates)}
        />
      </div>
      <Processes />
    </>
  );
}

interface GraphProps {
  readonly title: string;
  /** The latest value in words. */
  readonly value: string;
  readonly readings: readonly Reading[];
  readonly lines: readonly ((reading: Reading) => number)[];
  /** The value at the upper edge. */
  readonly most: number;
}

/** The values of the last two minutes, the latest at the right. */
function Graph({ title, value, readings, lines, most }: GraphProps) {
  const first = SECONDS - readings.length;
  return (
    <figure className="graph">
      <figcaption>
        {title} <span className="quiet">{value}</span>
      </figcaption>
      <svg viewBox={`0 0 ${SECONDS - 1} 40`} preserveAspectRatio="none" aria-hidden="true">
        {lines.map((read, index) => (
          <polyline
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a graph stay the same
            key={index}
            className={`graph-line-${index}`}
            points={readings
              .map((reading, at) => `${first + at},${40 - (39 * read(reading)) / most}`)
              .join(' ')}
          />
        ))}
      </svg>
    </figure>
  );
}

function Processes() {
  const [processes, setProcesses] = useState<readonly ProcessInfo[]>();
  const [asked, setAsked] = useState<ReadonlySet<number>>(new Set());
  const [problem, setProblem] = useState('');
  const look = useCallback(async () => {
    const { connection } = current;
    if (!connection) return;
    await connection.session.processes.list().then(setProcesses, (error) => setProblem(messageOf(error)));
  }, []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const repeat = async () => {
      await look();
      if (!isOver) timer = setTimeout(repeat, INTERVAL);
    };
    void repeat();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [look]);
  const end = async (pid: number) => {
    setProblem('');
    setAsked(new Set(asked).add(pid));
    try {
      await current.connection?.session.processes.end(pid, asked.has(pid) ? 'KILL' : 'TERM');
    } catch (error) {
      setProblem(`Process ${pid} does not end: ${messageOf(error)}.`);
    }
    await look();
  };
  return (
    <>
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <table className="processes">
        <caption className="visually-hidden">Processes</caption>
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col">Command</th>
            <th scope="col">CPU</th>
            <th scope="col">Memory</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {processes?.map(({ pid, command, cpu, memoryBytes }) => (
            <tr key={pid}>
              <td>{pid}</td>
              <td className="process-command" title={printable(command)}>
                {printable(command)}
              </td>
              <td>{`${Math.round(cpu * 100)} %`}</td>
              <td>{formatBytes(memoryBytes)}</td>
              <td>
                {/* The end of the first one is the end of the container: Stop. */}
                {pid !== 1 && (
                  <Button
                    icon="close"
                    aria-label={`${asked.has(pid) ? 'Kill' : 'End'} process ${pid}`}
                    onClick={() => void end(pid)}
                  >
                    {asked.has(pid) ? 'Kill' : 'End'}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
