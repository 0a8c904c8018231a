import type { ReactNode } from 'react';
import type { FieldErrors, Form } from '../model/form.ts';
import { useForm } from '../stores/form.ts';
import { useRelay } from '../stores/relay.ts';
import { EnvironmentRows } from './EnvironmentRows.tsx';
import { Field, Switch } from './Field.tsx';
import { fieldId } from './focus.ts';
import { SharedFolders } from './SharedFolders.tsx';

/** Options that most users never need. */
export function Options({ errors }: { errors: FieldErrors }) {
  const { form, change } = useForm();
  const bind = (field: Exclude<keyof Form, 'env' | 'init' | 'network'>) => ({
    id: fieldId(field),
    value: form[field],
    onChange: (value: string) => change({ [field]: value }),
    error: errors[field],
  });
  const bindSwitch = (field: 'init' | 'network', on: string) => ({
    id: fieldId(field),
    isOn: form[field] === on,
    onChange: (isOn: boolean) => change({ [field]: isOn ? on : '' }),
    error: errors[field],
  });
  return (
    <div id="options" className="options">
      <Field
        label="Entrypoint"
        {...bind('entrypoint')}
        placeholder="the image’s own"
        hint="The program, quoted as in a shell"
      />
      <Field label="Arguments" {...bind('args')} placeholder="the image’s own" hint="Quoted as in a shell" />
      <Field
        label="Platform"
        {...bind('platform')}
        placeholder="the best that the image has"
        hint="linux/riscv64, linux/arm64 or linux/amd64; programs for the last two are emulated, about ten times slower"
      />
      <Field
        label="Working directory"
        {...bind('workdir')}
        placeholder="the image’s own"
        hint="An absolute path, such as /srv"
      />
      <EnvironmentRows error={errors.env} />
      <div className="options-machine">
        <Field label="Memory" {...bind('memory')} hint="Such as 512M or 2G" />
        <Field label="CPUs" {...bind('cpus')} inputMode="numeric" hint="1 to 8" />
        <Field label="Disk" {...bind('disk')} hint="For what is written, in memory" />
      </div>
      <div className="options-init">
        <Switch
          label="Init process"
          {...bindSwitch('init', '1')}
          hint="For programs that ignore Ctrl-C, or leave zombies behind"
        />
      </div>
      <Field
        label="Devices"
        {...bind('devices')}
        placeholder="none but the usual"
        hint="/dev/fuse, /dev/net/tun, or both with a comma"
      />
      <Field
        label="Ports"
        {...bind('ports')}
        placeholder="shown when they open"
        hint="Such as 8080:80: opens a preview of port 80 as soon as something listens there"
      />
      <SharedFolders error={errors.folders} />
      <NetworkOptions error={errors.relay}>
        <Switch
          label="No network"
          {...bindSwitch('network', 'none')}
          hint="For programs that need none, or that you do not trust"
        />
      </NetworkOptions>
      <SignIn />
    </div>
  );
}

/** The switch of one container, given as children, and the relay of all. */
function NetworkOptions({ error, children }: { error: string | undefined; children: ReactNode }) {
  const { relay, choose } = useRelay();
  return (
    <fieldset className="options-network">
      <legend>Network</legend>
      <div>{children}</div>
      <Field
        id={fieldId('relay')}
        label="Relay"
        value={relay}
        onChange={choose}
        error={error}
        placeholder="on"
        hint="on for the one of this page’s server, off, or wss://… for another, which sees all traffic. For all containers of this browser, and in no link"
      />
    </fieldset>
  );
}

function SignIn() {
  const { credentials, signIn } = useForm();
  return (
    <fieldset className="options-sign-in">
      <legend>Registry sign-in</legend>
      <Field
        id={fieldId('credentials')}
        label="User name"
        value={credentials.username}
        onChange={(username) => signIn({ ...credentials, username })}
      />
      <Field
        id="password"
        label="Password or token"
        type="password"
        value={credentials.password}
        onChange={(password) => signIn({ ...credentials, password })}
      />
      <p className="field-note">For private images. Kept until this page is closed, and in no link.</p>
    </fieldset>
  );
}
