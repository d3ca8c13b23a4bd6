import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import globals from 'globals';

export default [
  js.configs.recommended,
  prettier,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: globals.node },
    rules: {
      complexity: ['error', 10],
      eqeqeq: 'error',
      'max-lines-per-function': ['error', { max: 60, skipComments: true }],
      'max-params': ['error', 6],
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  // A describe block holds its tests; its length says nothing.
  { files: ['tests/**'], rules: { 'max-lines-per-function': 'off' } },
];
