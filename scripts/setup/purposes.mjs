/** The needs of each command in package.json, in the order in which they are prepared. */
import { booted } from './booted.mjs';
import { bundle, programs } from './bundle.mjs';
import { busybox, foreignBusybox } from './busybox.mjs';
import { consumerTools } from './consumer-tools.mjs';
import { core } from './core.mjs';
import {
  BROWSER_PACKAGES,
  BUILD_PACKAGES,
  DEBIAN_PART,
  ensurePackages,
  missingPackages,
  offerPackages,
  TEST_PACKAGES,
} from './debian.mjs';
import { emulatorCode } from './emulator-code.mjs';
import { SetupFailure } from './failure.mjs';
import { formatForecast, plan, settle, timeLeft } from './forecast.mjs';
import { glance, noteLook } from './glance.mjs';
import { images } from './images.mjs';
import { initramfs } from './initramfs.mjs';
import { kernel, kernelSmp } from './kernel.mjs';
import { ensureNpmPackages, isCurrent, NPM_PART } from './npm.mjs';
import { npmPackage } from './package.mjs';
import { page } from './page.mjs';
import { previews } from './previews.mjs';
import { production } from './production.mjs';
import { say } from './progress.mjs';
import { emulators, qemuUser } from './qemu-user.mjs';
import { rva23Qemu } from './rva23-qemu.mjs';
import { site } from './site.mjs';
import { programSources } from './sources.mjs';
import { ensure, isInPlace, isToBuild, stampOf } from './step.mjs';
import { types } from './types.mjs';

const GUEST = [kernel, busybox, initramfs];
const EMULATORS = [qemuUser, emulators, foreignBusybox, emulatorCode];
const PAGES = [programs, page, previews, types, site, production];
const EVERYTHING = [core, bundle, ...GUEST, booted, ...EMULATORS, images, kernelSmp, ...PAGES, npmPackage];

/**
 * @typedef {object} Needs
 * @property {readonly string[]} packages
 * @property {readonly string[]} [wishes] packages that may be missing
 * @property {readonly import('./step.mjs').Step[]} steps
 * @property {readonly import('./step.mjs').Step[]} [offers] steps whose results may be missing
 */

/** @satisfies {Record<string, Needs>} */
export const PURPOSES = {
  elf: { packages: [], steps: [core, bundle] },
  boot: { packages: BUILD_PACKAGES, steps: [core, bundle, ...GUEST] },
  'boot-smp': { packages: BUILD_PACKAGES, steps: [core, bundle, ...GUEST, kernelSmp] },
  run: { packages: BUILD_PACKAGES, steps: [core, bundle, ...GUEST, booted, ...EMULATORS, images] },
  'run-smp': {
    packages: BUILD_PACKAGES,
    steps: [core, bundle, ...GUEST, booted, ...EMULATORS, images, kernelSmp],
  },
  start: {
    packages: BUILD_PACKAGES,
    steps: [core, bundle, programs, page, ...GUEST, booted, ...EMULATORS, images, previews, types, site],
  },
  'kernel-smp': { packages: BUILD_PACKAGES, steps: [kernelSmp] },
  types: { packages: [], steps: [types] },
  release: { packages: BUILD_PACKAGES, steps: [...EVERYTHING, programSources] },
  test: {
    packages: [...BUILD_PACKAGES, ...TEST_PACKAGES],
    wishes: BROWSER_PACKAGES,
    steps: [...EVERYTHING, programSources, consumerTools],
    offers: [rva23Qemu],
  },
};

/**
 * Names the builds that tests use, and that are older than their sources. Programs and pages are none of
 * them, because tests bundle their sources themselves.
 * @returns {Promise<string[]>} titles
 */
export async function staleBuilds() {
  const steps = [core, ...GUEST, booted, qemuUser, emulators, foreignBusybox, images, kernelSmp];
  const stale = await Promise.all(
    steps.map((step) =>
      isInPlace(step).then(
        (is) => !is,
        () => true,
      ),
    ),
  );
  const titles = steps.filter((_, index) => stale[index]).map(({ title }) => title);
  return (await isCurrent()) ? titles : [NPM_PART, ...titles];
}

/** Files that change when packages or the set-up itself change. */
const COMMON_INPUTS = [
  '/var/lib/dpkg/status',
  'package-lock.json',
  'node_modules/.package-lock.json',
  'scripts/setup',
];

/**
 * Says what has to be built, and how long that takes.
 * @param {Needs['packages']} packages @param {Needs['steps']} steps
 */
async function tellPlan(packages, steps) {
  /** @type {[part: string, title: string][]} */
  const parts = [];
  if ((await missingPackages(packages)).length > 0) parts.push([DEBIAN_PART, DEBIAN_PART]);
  if (!(await isCurrent())) parts.push([NPM_PART, NPM_PART]);
  for (const step of steps) if (await isToBuild(step)) parts.push([step.name, step.title]);
  plan(parts.map(([part]) => part));
  if (parts.length > 1)
    say(`${formatForecast(timeLeft())} for ${parts.map(([, title]) => title).join(', ')}`);
}

/** @param {import('./step.mjs').Step} step makes it if that is possible, and says so if it is not */
async function offer(step) {
  try {
    await ensure(step);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    const [reason] = error.message.split('\n');
    say(`without ${step.title}, whose tests are skipped: ${reason}`);
  }
}

/** @param {keyof typeof PURPOSES} purpose */
export async function setUpFor(purpose) {
  /** @type {Needs} */
  const { packages, wishes = [], steps, offers = [] } = PURPOSES[purpose];
  // run.sh hides this variable from the Node that it starts; npm needs it.
  const { LINUXRUN_EXTRA_CA_CERTS: certificates } = process.env;
  if (certificates) process.env.NODE_EXTRA_CA_CERTS ??= certificates;
  const inputs = [...new Set([...COMMON_INPUTS, ...steps.flatMap(({ sources = [] }) => sources)])];
  const before = glance(inputs);
  await tellPlan([...packages, ...wishes], steps);
  // First, so that missing rights to install packages leave nothing half done.
  await ensurePackages(packages);
  await offerPackages(wishes);
  await ensureNpmPackages();
  for (const step of steps) {
    await ensure(step);
    settle(step.name);
  }
  for (const step of offers) await offer(step);
  // A change made during the set-up may be missing from its results.
  if (glance(inputs) === before)
    noteLook(
      purpose,
      [...inputs, ...steps.map(stampOf)],
      steps.flatMap(({ outputs }) => Object.values(outputs)),
    );
}
