import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { wilson } from '../../../src/data/intervals.js';
import { lastQuizScore, writeQuizAttempts } from '../../../src/look/quiz/file.js';
import { scoreQuiz, shortScore } from '../../../src/look/quiz/score.js';
import { QuizSession } from '../../../src/look/quiz/session.js';
import type { Quiz, QuizAnswer } from '../../../src/look/quiz/types.js';

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-8, `${actual} instead of ${expected}`);

/** scipy.stats.binomtest(k, n).proportion_ci(method='wilson') of SciPy: k, n, low, high. */
const scipy: readonly (readonly [number, number, number, number])[] = [
  [0, 10, 0.0, 0.27753279986288926],
  [10, 10, 0.7224672001371109, 1.0],
  [1, 30, 0.005908590381612441, 0.16670390991409173],
  [15, 30, 0.3315412564053377, 0.6684587435946623],
  [27, 30, 0.7437891742081592, 0.9654001112526657],
  [91, 100, 0.8377378714728368, 0.9519274599974349],
  [835, 1000, 0.8107207516702333, 0.8567153201444446],
  [1, 1, 0.20654931437723745, 1.0],
];

const answered = (label: number, answer: number | null, seconds = 1, name = `${label}/${seconds}`): QuizAnswer => ({
  name,
  label,
  answer,
  seconds,
});

describe('scoreQuiz', () => {
  test("Wilson's interval is SciPy's", () => {
    for (const [right, of, low, high] of scipy) {
      const interval = wilson(right, of);
      close(interval.low, low);
      close(interval.high, high);
    }
  });

  test('accuracy, confusion, time and what was missed; skipped pictures count nowhere', () => {
    const answers = [answered(0, 0, 4), answered(0, 1, 2), answered(1, 1, 9), answered(2, null, 60), answered(2, 2, 3)];
    const score = scoreQuiz(answers, { classes: 3 });
    assert.equal(score.right, 3);
    assert.equal(score.of, 4);
    assert.equal(score.accuracy, 0.75);
    assert.deepEqual(score.interval, wilson(3, 4));
    assert.equal(score.skipped, 1);
    assert.equal(score.secondsPerPicture, 3.5);
    assert.deepEqual(score.confusion, [
      [1, 1, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    assert.deepEqual(score.missed, [answers[1]]);
    assert.equal(score.net, undefined);
  });

  test('the net is measured on the very pictures that were answered', () => {
    const answers = [answered(0, 0, 1, 'a'), answered(1, 0, 1, 'b'), answered(1, null, 1, 'c')];
    const net = new Map([
      ['a', 1],
      ['b', 1],
    ]);
    const score = scoreQuiz(answers, { classes: 2, net: (name) => net.get(name) });
    assert.equal(score.net?.accuracy, 0.5);
    assert.equal(score.net?.of, 2);
    net.delete('b');
    assert.equal(scoreQuiz(answers, { classes: 2, net: (name) => net.get(name) }).net, undefined);
  });

  test('nothing answered, and a class that does not exist', () => {
    const score = scoreQuiz([answered(0, null)], { classes: 2 });
    assert.ok(Number.isNaN(score.accuracy) && Number.isNaN(score.secondsPerPicture));
    assert.deepEqual(score.interval, { low: 0, high: 1 });
    assert.throws(
      () => scoreQuiz([answered(0, 2)], { classes: 2 }),
      /class 0 and answer 2, but there are classes 0 to 1 only/,
    );
  });

  test('in one line', () => {
    const answers = Array.from({ length: 30 }, (_, i) => answered(0, i < 27 ? 0 : 1, 1, String(i)));
    // Wilson: 0.744 to 0.965.
    assert.equal(shortScore(scoreQuiz(answers, { classes: 2 })), 'you: 90 % ± 11');
    assert.equal(shortScore(scoreQuiz(answers, { classes: 2, net: () => 0 })), 'you: 90 % ± 11, net: 100 % ± 6');
    assert.equal(shortScore(scoreQuiz([], { classes: 2 })), 'you: nothing answered');
  });
});

describe('QuizSession', () => {
  const picture = (name: string, label: number) => ({ name, label, png: new Uint8Array() });
  const quiz: Quiz = {
    name: 'q',
    classes: ['a', 'b'],
    pictures: [picture('x', 0), picture('y', 1)],
    examples: [picture('z', 0)],
    from: 'validation',
    available: 9,
    seed: 0,
    round: 1,
    form: { height: 8, width: 8, channels: 3, fit: 'squash', decode: 'fast' },
    splitFingerprint: 's',
    fingerprint: 'f',
    unreadable: [],
  };

  test('learn, ask, check, done; each step once', () => {
    const session = new QuizSession(quiz);
    assert.equal(session.answer(0, 0, 1), false, 'not before learning ended');
    assert.equal(session.begin(), true);
    assert.equal(session.begin(), false);
    assert.equal(session.finish(), false, 'nothing is answered');
    assert.equal(session.undo(0), false, 'nothing to undo');
    assert.equal(session.answer(1, 0, 1), false, 'another picture is asked');
    assert.equal(session.answer(0, 0, 1), true);
    assert.equal(session.answer(0, 0, 1), false, 'the same key twice');
    assert.equal(session.answer(1, null, 2), true);
    assert.deepEqual(session.state, { phase: 'check', position: 2, total: 2 });
    assert.equal(session.finish(), true);
    assert.equal(session.undo(2), false, 'done is done');
    assert.equal(session.state.phase, 'done');
    assert.ok(session.attempt.finished !== undefined);
  });

  test('undo asks again and adds up the time; who left the room is not thinking', () => {
    const session = new QuizSession(quiz);
    session.begin();
    session.answer(0, 1, 2.5);
    assert.equal(session.undo(1), true);
    session.answer(0, 0, 1.25);
    session.answer(1, 1, 40_000);
    assert.deepEqual(
      session.answers.map(({ answer, seconds }) => [answer, seconds]),
      [
        [0, 3.75],
        [1, 600],
      ],
    );
  });

  test('goes on where it was broken off', () => {
    const first = new QuizSession(quiz);
    first.begin();
    first.answer(0, 1, 2);
    const second = new QuizSession(quiz, first.attempt);
    assert.deepEqual(second.state, { phase: 'ask', position: 1, total: 2 });
    second.answer(1, 1, 2);
    second.finish();
    assert.equal(second.attempt.started, first.attempt.started);
    assert.equal(second.attempt.answers.length, 2);
  });

  test('reports get the last finished attempt, of their own split only', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'praxis-quiz-score-'));
    try {
      const file = path.join(folder, 'quiz.json');
      assert.equal(await lastQuizScore(file), undefined);
      const attempt = (second: number, finish: boolean) => {
        const session = new QuizSession(quiz);
        session.begin();
        session.answer(0, 0, 1);
        session.answer(1, second, 1);
        if (finish) session.finish();
        return session.attempt;
      };
      await writeQuizAttempts(file, 'q', [attempt(0, true), attempt(1, true), attempt(0, false)]);
      const last = await lastQuizScore(file, { splitFingerprint: 's', net: () => 0 });
      assert.equal(last?.score.accuracy, 1, 'the second, not the one that was broken off');
      assert.equal(last?.score.net?.accuracy, 0.5);
      assert.equal(await lastQuizScore(file, { splitFingerprint: 'another' }), undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
