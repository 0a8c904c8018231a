import { useSession } from '../stores/session.ts';

/** What the guest's agent had to say about the end, where that is more than a status. */
export function EndNotice() {
  const messages = useSession((session) => session.messages.trim());
  if (messages === '') return null;
  return (
    <p className="end-notice" role="alert">
      {messages}
    </p>
  );
}
