/**
 * `node scripts/wide-images.mjs [TAG…]` makes the images of `npm run bench -- wide`: programs that run much
 * code, little of it often. It takes a few minutes and half a gigabyte of downloads, so neither set-up nor
 * tests do it.
 */
import { makeImages } from '../setup/debian-image.mjs';
import { runMain } from '../setup/failure.mjs';
import { WIDE_IMAGES } from '../setup/places.mjs';

const IMAGES = {
  java: { packages: ['openjdk-21-jre-headless'], path: ['/usr/lib/jvm/java-21-openjdk-riscv64/bin'] },
  node: { packages: ['nodejs'] },
  postgres: {
    packages: ['postgresql-17'],
    path: ['/usr/lib/postgresql/17/bin'],
    users: ['postgres:x:70:70:postgres:/tmp:/bin/sh'],
    groups: ['postgres:x:70:'],
  },
  qemu: { packages: ['qemu-user'] },
};

await runMain(() => makeImages(WIDE_IMAGES, IMAGES));
