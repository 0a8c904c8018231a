import { useSession } from '../stores/session.ts';
import type { Obstacle } from '../support.ts';
import { Footer } from './Footer.tsx';
import { Header } from './Header.tsx';
import { Notice } from './Notice.tsx';
import { Picker } from './Picker.tsx';
import { SessionView } from './SessionView.tsx';

/** The whole page: the form, or the running container. */
export function Page({ obstacle }: { obstacle: Obstacle | undefined }) {
  const isFormShown = useSession(({ phase }) => phase === 'none');
  return (
    <div className={isFormShown ? 'page' : 'page page-session'}>
      <Header />
      {obstacle && (
        <div className="column">
          <Notice tone="problem" title={obstacle.title}>
            {obstacle.text}
          </Notice>
        </div>
      )}
      {isFormShown ? <Picker canRun={!obstacle} /> : <SessionView />}
      {isFormShown && <Footer />}
    </div>
  );
}
