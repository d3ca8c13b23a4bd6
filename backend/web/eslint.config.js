import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import react from 'eslint-plugin-react'
import reactHooks from 'eslint-plugin-react-hooks'
import globals from 'globals'

export default [
  { ignores: ['dist/', 'coverage/'] },
  js.configs.recommended,
  react.configs.flat.recommended,
  react.configs.flat['jsx-runtime'],
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs['recommended-latest'],
  {
    settings: { react: { version: 'detect' } },
    languageOptions: { globals: globals.browser },
    rules: {
      complexity: ['error', 10],
      'max-lines-per-function': ['error', { max: 120 }],
      'max-params': ['error', 6],
      // Props are few and named; their shapes are the API's, described where they are fetched.
      'react/prop-types': 'off',
    },
  },
  { files: ['*.js', 'server/**', 'tests/**'], languageOptions: { globals: { ...globals.node } } },
  prettier,
]
