import { useSession } from '../stores/session.ts';

/** What the guest's agent has to say: why a program did not start, that memory ran out. */
export function AgentNotice() {
  const messages = useSession((session) => session.messages.trim());
  if (messages === '') return null;
  return (
    <p className="agent-notice" role="alert">
      {messages}
    </p>
  );
}
