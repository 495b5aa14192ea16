// Nest's packages are loaded once, before Jest isolates modules: two copies of its metadata would not recognise each other.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
