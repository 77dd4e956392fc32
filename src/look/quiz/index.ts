/** The quiz: solve the task yourself before a network does. */
export { lastQuizScore, readQuizAttempts, writeQuizAttempts } from './file.js';
export { makeQuiz, type QuizOptions } from './make.js';
export { type ScoreOptions, scoreQuiz, shortScore } from './score.js';
export { type QuizResult, type QuizServer, type QuizServerOptions, startQuizServer } from './server.js';
export type { Quiz, QuizAnswer, QuizAttempt, QuizPart, QuizPicture, QuizScore, Share } from './types.js';
