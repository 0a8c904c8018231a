/**
 * Takes the messages on a port. They may come from scripts of the preview, which can send anything, and an
 * error in a listener would end the session.
 * @param fail called when a message is none
 */
export function hear<Message>(
  port: MessagePort,
  take: (message: Message, ports: readonly MessagePort[]) => void,
  fail: (ports: readonly MessagePort[]) => void,
): void {
  port.onmessage = ({ data, ports }: MessageEvent<Message>) => {
    try {
      take(data, ports);
    } catch {
      fail(ports);
    }
  };
}
