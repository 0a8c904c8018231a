const QUALITIES =
  'amber brave bright calm clever copper coral crisp eager early fair fresh gentle golden happy honest ' +
  'jolly keen kind lively lucky mellow merry misty noble polite proud quick quiet royal silver sunny';
const ANIMALS =
  'badger beaver bison crane dolphin eagle falcon ferret finch gecko hare heron ibex jackal koala lark ' +
  'lemur lynx marten moose newt otter owl panda puffin raven robin seal swan tapir tiger wren';
const [qualities, animals] = [QUALITIES.split(' '), ANIMALS.split(' ')];

/** Makes up a name that is easy to read and to say, such as `amber-otter`. */
export function makeUpName(taken: Iterable<string>, random: () => number = Math.random): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  return freeName(`${pick(qualities)}-${pick(animals)}`, taken);
}

/** Returns the name, with a number if it is taken. */
export function freeName(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  if (!names.has(name)) return name;
  const stem = name.replace(/-\d+$/, '');
  let number = 2;
  while (names.has(`${stem}-${number}`)) number++;
  return `${stem}-${number}`;
}
