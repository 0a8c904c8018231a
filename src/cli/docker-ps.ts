/** `linuxrun ps`. */
import type { PsWords } from '../docker/docker.ts';
import { formatDuration, formatRows, formatTime, type Row, truncate } from '../docker/format.ts';
import { quoteWord } from '../options/words.mjs';
import { printable } from '../text/byte-text.ts';
import { listContainers } from './client.ts';
import type { ContainerInfo } from './owner-protocol.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

const COLUMNS = {
  'CONTAINER ID': 'ID',
  IMAGE: 'Image',
  COMMAND: 'Command',
  CREATED: 'RunningFor',
  STATUS: 'Status',
  PORTS: 'Ports',
  NAMES: 'Names',
};
const SHORT_ID = 12;
const SHORT_COMMAND = 20;

export async function dockerPs({ quiet, noTrunc, format }: PsWords): Promise<number> {
  const containers = await listContainers(await Sockets.open(process.env));
  const rows = containers.map((info) => rowOf(info, noTrunc));
  const shown = quiet && format === undefined ? '{{.ID}}' : format;
  await write(process.stdout, formatRows(rows, shown, COLUMNS));
  return 0;
}

function rowOf(info: ContainerInfo, noTrunc: boolean): Row {
  // Part of it may come from an image.
  const command = printable(info.command.map(quoteWord).join(' '));
  const { id, created, started } = info;
  return {
    Command: `"${noTrunc ? command : truncate(command, SHORT_COMMAND)}"`,
    CreatedAt: formatTime(created),
    ID: noTrunc ? id : id.slice(0, SHORT_ID),
    Image: info.image,
    Names: info.name,
    Networks: info.network,
    Ports: info.ports
      .map(({ address, host, container }) => `${address}:${host}->${container}/tcp`)
      .join(', '),
    RunningFor: `${formatDuration(Date.now() - created)} ago`,
    State: started === undefined ? 'created' : 'running',
    Status: started === undefined ? 'Created' : `Up ${formatDuration(Date.now() - started)}`,
  };
}
