// Proof of work: the number for which SHA-256 of "token:number" begins with `bits` zero bits. In script of our own, because
// crypto.subtle is missing on pages without TLS and dearer than the hash itself for texts this short.

const ROUND = Uint32Array.from(primes(64), (prime) => (Math.cbrt(prime) % 1) * 2 ** 32);
const START = Uint32Array.from(primes(8), (prime) => (Math.sqrt(prime) % 1) * 2 ** 32);
const BATCH = 4000;

/** Resolves with the number as text. Gives way to the page between batches. */
export async function work(token, bits) {
  const encoder = new TextEncoder();
  for (let number = 0; ; number += 1) {
    if (firstWord(encoder.encode(`${token}:${number}`)) >>> (32 - bits) === 0) return String(number);
    if (number % BATCH === BATCH - 1) await new Promise((resolve) => setTimeout(resolve));
  }
}

function primes(count) {
  const found = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime)) found.push(candidate);
  }
  return found;
}

/** The first 32 bits of SHA-256 (FIPS 180-4, section 6.2). */
export function firstWord(message) {
  const blocks = ((message.length + 8) >> 6) + 1;
  const padded = new DataView(new ArrayBuffer(blocks * 64));
  message.forEach((byte, place) => padded.setUint8(place, byte));
  padded.setUint8(message.length, 0x80);
  padded.setUint32(blocks * 64 - 4, message.length * 8);
  const state = START.slice();
  const schedule = new Uint32Array(64);
  for (let block = 0; block < blocks; block += 1) compress(state, schedule, padded, block * 64);
  return state[0];
}

function compress(state, schedule, padded, offset) {
  for (let t = 0; t < 16; t += 1) schedule[t] = padded.getUint32(offset + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const x = schedule[t - 15];
    const y = schedule[t - 2];
    const small = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const large = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    schedule[t] = schedule[t - 16] + small + schedule[t - 7] + large;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + schedule[t]) | 0;
    const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, place) => {
    state[place] += value;
  });
}

function rotate(value, count) {
  return (value >>> count) | (value << (32 - count));
}
