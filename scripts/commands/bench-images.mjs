/**
 * `node scripts/bench-images.mjs [TAG…]` makes the images of `npm run bench -- work guest-jit` that are not
 * among those of the tests. It takes a few minutes and half a gigabyte of downloads, so neither set-up nor
 * tests do it.
 */
import { makeImages } from '../setup/debian-image.mjs';
import { runMain } from '../setup/failure.mjs';
import { BENCH_IMAGES } from '../setup/places.mjs';

const IMAGES = {
  java: { packages: ['openjdk-21-jre-headless'], path: ['/usr/lib/jvm/java-21-openjdk-riscv64/bin'] },
  lua: { packages: ['lua5.4'] },
  node: { packages: ['nodejs'] },
  postgres: {
    packages: ['postgresql-17'],
    path: ['/usr/lib/postgresql/17/bin'],
    users: ['postgres:x:70:70:postgres:/tmp:/bin/sh'],
    groups: ['postgres:x:70:'],
  },
  qemu: { packages: ['qemu-user'] },
};

await runMain(() => makeImages(BENCH_IMAGES, IMAGES));
