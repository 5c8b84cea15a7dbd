// How long a test of this project may take; the project says it in jest.config.js.
jest.setTimeout(globalThis.stTestTimeout);
