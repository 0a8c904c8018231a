import { describe, expect, it } from 'vitest';
import { AutoSave } from './auto-save.ts';

const LOOK = 2;

/** A container whose time goes on by looks, one every two seconds. */
class Subject {
  time = 0;
  work = 0;
  input = 0;
  saves: number[] = [];
  fails = false;
  readonly #autoSave = new AutoSave(
    {
      instructions: () => this.work,
      lastInput: () => this.input,
      save: async () => {
        this.saves.push(this.time / 1000);
        if (this.fails) throw new Error('no room');
      },
    },
    () => this.time,
  );

  /** @param load instructions a second */
  async pass(seconds: number, { load = 0, types = false } = {}): Promise<void> {
    for (let passed = 0; passed < seconds; passed += LOOK) {
      this.time += LOOK * 1000;
      this.work += load * LOOK;
      if (types) this.input = this.time;
      await this.#autoSave.look();
    }
  }
}

describe('a container saves itself', () => {
  it('when it rests, and once', async () => {
    const subject = new Subject();
    await subject.pass(20, { types: true, load: 30e6 });
    expect(subject.saves).toEqual([]);
    await subject.pass(100, { load: 1e5 });
    expect(subject.saves).toEqual([28]);
  });

  it('after one more key', async () => {
    const subject = new Subject();
    await subject.pass(2, { types: true });
    await subject.pass(60);
    await subject.pass(2, { types: true });
    await subject.pass(60);
    expect(subject.saves).toEqual([10, 72]);
  });

  it('not while it works, but after five minutes', async () => {
    const subject = new Subject();
    await subject.pass(298, { load: 300e6 });
    expect(subject.saves).toEqual([]);
    await subject.pass(400, { load: 300e6 });
    expect(subject.saves).toEqual([300, 600]);
  });

  it('not while somebody types', async () => {
    const subject = new Subject();
    await subject.pass(400, { load: 300e6, types: true });
    expect(subject.saves).toEqual([]);
    await subject.pass(2, { load: 300e6 });
    expect(subject.saves).toEqual([402]);
  });

  it('not if nothing has happened', async () => {
    const subject = new Subject();
    await subject.pass(1000, { load: 1e4 });
    expect(subject.saves).toEqual([]);
  });

  it('again a minute after it failed', async () => {
    const subject = new Subject();
    subject.fails = true;
    await subject.pass(2, { types: true });
    await subject.pass(70);
    expect(subject.saves).toEqual([10, 70]);
  });
});
