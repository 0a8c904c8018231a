import { checkForm } from '../model/check.ts';
import { foldersProblem } from '../model/folders.ts';
import { droppedImage } from '../model/local.ts';
import { useFolders } from '../stores/folders.ts';
import { useForm } from '../stores/form.ts';
import { readRelay, useRelay } from '../stores/relay.ts';
import { runForm } from '../stores/start.ts';
import { Button } from './Button.tsx';
import { Catalogue } from './Catalogue.tsx';
import { FormProblem } from './FormProblem.tsx';
import { FORM_ID } from './focus.ts';
import { Icon } from './Icon.tsx';
import { ImageField } from './ImageField.tsx';
import { KeptContainers } from './KeptContainers.tsx';
import { LinkNotice } from './LinkNotice.tsx';
import { LiveTerminal } from './LiveTerminal.tsx';
import { LocalImageButtons, openLocal } from './LocalImageButtons.tsx';
import { NothingKeptNotice } from './NothingKeptNotice.tsx';
import { Options } from './Options.tsx';
import { PasteNotice } from './PasteNotice.tsx';
import { ProjectNotice } from './ProjectNotice.tsx';
import { Recent } from './Recent.tsx';
import { SessionOffer } from './SessionOffer.tsx';
import { ShareButton } from './ShareButton.tsx';
import { Starters } from './Starters.tsx';
import { StartNote } from './StartNote.tsx';
import { useDrop } from './use-drop.ts';
import { useExpectation } from './use-expectation.ts';
import { useMissingFile } from './use-image.ts';
import { WhatRuns } from './WhatRuns.tsx';

/** The form for an image and its options. */
export function Picker({ canRun }: { canRun: boolean }) {
  const { form, project, linkErrors, areOptionsOpen, openOptions } = useForm();
  const checked = checkForm(form);
  const relay = readRelay(useRelay());
  const folders = foldersProblem(useFolders(({ chosen }) => chosen));
  const errors = {
    ...{ ...checked.errors, ...linkErrors },
    ...(relay.error && { relay: relay.error }),
    ...(folders && { folders }),
  };
  // Fields with errors are always visible.
  const isOpen = areOptionsOpen || Object.keys(errors).some((field) => field !== 'image');
  useExpectation();
  const missingFile = useMissingFile();
  const isReady = canRun && !missingFile && Object.keys(errors).length === 0;
  const drop = useDrop(async ({ items }) => {
    // An unreadable item is ignored.
    const local = await droppedImage(items).catch(() => undefined);
    if (local) await openLocal(local);
  });
  return (
    <main className="column picker" {...drop.handlers} data-dropping={drop.isOver || undefined}>
      <div className="hero">
        <h1>A real Linux, in this tab</h1>
        <p>
          LinuxRun runs container images inside your browser, to try software, follow a lesson or share a
          working example: there is nothing to install, and nothing to break.
        </p>
      </div>
      <LinkNotice />
      <NothingKeptNotice />
      <SessionOffer canRun={canRun} />
      <ProjectNotice />
      <PasteNotice />
      <FormProblem />
      <div className="first">
        <LiveTerminal />
        <form
          id={FORM_ID}
          className="card launch"
          aria-label="What to run"
          onSubmit={(event) => {
            event.preventDefault();
            if (isReady) runForm();
          }}
        >
          <div className="launch-line">
            <ImageField error={errors.image} missingFile={missingFile} />
            <Button type="submit" icon="run" look="main" disabled={!isReady}>
              Run
            </Button>
          </div>
          <WhatRuns wish={checked.wish} />
          <StartNote />
          <div className="launch-actions">
            <LocalImageButtons />
            <ShareButton form={form} address={project?.address} />
            <button
              type="button"
              className="button button-quiet launch-options"
              aria-expanded={isOpen}
              aria-controls="options"
              onClick={() => openOptions(!areOptionsOpen)}
            >
              <Icon name="options" />
              Options
              <Icon name={isOpen ? 'up' : 'down'} />
            </button>
          </div>
          {isOpen && <Options errors={errors} />}
        </form>
      </div>
      <KeptContainers canRun={canRun} />
      <Recent />
      <Starters canRun={canRun} />
      <Catalogue canRun={canRun} />
    </main>
  );
}
