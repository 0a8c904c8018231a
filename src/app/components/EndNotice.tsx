import { useSession } from '../stores/session.ts';

/** What the machine had to say about the end, where that is more than a status. */
export function EndNotice() {
  const messages = useSession((session) => session.messages);
  if (messages.length === 0) return null;
  return (
    <div className="end-notice" role="alert">
      {messages.map((message) => (
        <p key={message}>{message}</p>
      ))}
    </div>
  );
}
