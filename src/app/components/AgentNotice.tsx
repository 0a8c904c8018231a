import { useSession } from '../stores/session.ts';

/** Shows messages of the guest's agent, such as why a program did not start or that memory ran out. */
export function AgentNotice() {
  const messages = useSession((session) => session.messages.trim());
  if (messages === '') return null;
  return (
    <p className="agent-notice" role="alert">
      {messages}
    </p>
  );
}
