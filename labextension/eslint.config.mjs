import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import tseslint from 'typescript-eslint';

// The plugin's own lists say which files a rule is for; here each of its rules is an error.
const everyRule = Object.fromEntries(
  Object.keys(jupyter.rules).map(name => [`jupyter/${name}`, 'error'])
);
const schemaConfigs = jupyter.configs.recommended
  .filter(config => config.files.some(pattern => pattern.includes('schema')))
  .map(config => ({
    ...config,
    plugins: { jupyter },
    rules: { 'jupyter/no-schema-enum': 'error' }
  }));

export default tseslint.config(
  {
    ignores: [
      'lib/',
      '.unit/',
      'node_modules/',
      '.yarn/',
      '*.mjs',
      'style/*.js'
    ]
  },
  {
    files: ['src/**/*.{ts,tsx}', 'unit/**/*.ts'],
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    plugins: { jupyter },
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './tsconfig.unit.json'],
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      ...everyRule,
      // Activation needs these at once: models are what plugins provide, the panel is the sidebar's tab; the rest
      // are a few lines that every look at the state needs.
      'jupyter/prefer-lazy-imports': [
        'error',
        {
          ignoreImports: [
            '../api',
            '../commands',
            '../components/StatusItem',
            '../format',
            '../inventory/commands',
            '../inventory/model',
            '../model',
            '../panel',
            '../turns'
          ]
        }
      ],
      // Namespaces carry options and private parts of a class, as everywhere in JupyterLab.
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true }
      ]
    }
  },
  ...schemaConfigs
);
