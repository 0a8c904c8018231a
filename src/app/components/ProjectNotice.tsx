import { count, formatBytes } from '../model/format.ts';
import { useForm } from '../stores/form.ts';
import { useProject } from '../stores/project.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';
import { OpeningNotice } from './OpeningNotice.tsx';

/** Says which project the form is of, or why one cannot be opened. */
export function ProjectNotice() {
  const { offered, source, problem, fetch, moveToFolder, dismiss } = useProject();
  const { form, project, closeProject } = useForm();
  if (offered !== undefined)
    return (
      <Notice tone="hint" title="A project at an address">
        <p>
          <code className="address">{offered}</code> is not fetched before you say so. Its files and settings
          come from strangers: they are shown here first, and run only in this tab.
        </p>
        <div className="offer-actions">
          <Button icon="download" look="main" onClick={() => void fetch()}>
            Get it
          </Button>
          <Button icon="close" look="plain" onClick={dismiss}>
            Dismiss
          </Button>
        </div>
      </Notice>
    );
  if (source !== undefined)
    return (
      <OpeningNotice
        title="A project"
        {...{ source, problem }}
        reading={`Reading ${source}`}
        onDismiss={dismiss}
      />
    );
  if (!project) return null;
  const bytes = project.files.reduce((sum, { content }) => sum + content.length, 0);
  return (
    <Notice tone="hint" title={`The project ${project.name}`}>
      {project.browserFolder === undefined ? (
        <p>
          Its settings are in the form. Run makes a container with its {count(project.files.length, 'file')},{' '}
          {formatBytes(bytes)}, in <code>{form.workdir}</code>, and keeps it in this browser. It cannot reach
          your files.
        </p>
      ) : (
        <p>
          Its settings are in the form. Run makes a container that has the folder{' '}
          <strong>{project.browserFolder}</strong> of this browser at <code>{form.workdir}</code>. The folder
          stays when its containers go: find it under “Shared folders” in the options.
        </p>
      )}
      <div className="offer-actions">
        {project.browserFolder === undefined && (
          <Button icon="folder" look="plain" onClick={() => void moveToFolder()}>
            Keep its files in a folder
          </Button>
        )}
        <Button icon="close" look="plain" onClick={closeProject}>
          Leave its files out
        </Button>
      </div>
    </Notice>
  );
}
